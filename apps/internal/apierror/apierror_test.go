package apierror_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
)

func TestWhatACallerIsShown(t *testing.T) {
	secret := errors.New("password=hunter2")
	tests := []struct {
		name    string
		err     error
		status  int
		code    apierror.Code
		message string
	}{
		{"a refusal keeps its words", fmt.Errorf("place: %w", apierror.New(apierror.Unprocessable, "coupon %s has expired", "X")), 422, apierror.Unprocessable, "coupon X has expired"},
		{"a deadline is a timeout", fmt.Errorf("query: %w", context.DeadlineExceeded), 504, apierror.Timeout, "deadline"},
		{"a caller that went away is a timeout", context.Canceled, 504, apierror.Timeout, "deadline"},
		{"an unclassified error hides its text", secret, 500, apierror.Internal, "trace id"},
		{"a cause is not shown", apierror.New(apierror.Unavailable, "no database").Because(secret), 503, apierror.Unavailable, "no database"},
		{"a refusal because of a deadline keeps its code", apierror.New(apierror.Unavailable, "no connection").Because(context.DeadlineExceeded), 503, apierror.Unavailable, "no connection"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			apierror.Write(w, tt.err)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
			if strings.Contains(w.Body.String(), "hunter2") {
				t.Errorf("the answer gives internals away: %s", w.Body)
			}
			back := apierror.Read(w.Result())
			if back.Code != tt.code || !strings.Contains(back.Message, tt.message) {
				t.Errorf("read back %v, want %s with %q", back, tt.code, tt.message)
			}
		})
	}
}

func TestACauseCanBeFound(t *testing.T) {
	err := apierror.New(apierror.Unavailable, "no connection").Because(context.DeadlineExceeded)
	if !errors.Is(err, context.DeadlineExceeded) || !apierror.Is(fmt.Errorf("x: %w", err), apierror.Unavailable) {
		t.Errorf("%v lost its cause or its code", err)
	}
}

func TestAnAnswerInAnotherFormIsKeptAsTheCause(t *testing.T) {
	w := httptest.NewRecorder()
	http.Error(w, "upstream connect error", http.StatusBadGateway)
	err := apierror.Read(w.Result())
	if err.Code != apierror.Internal || !strings.Contains(err.Error(), "upstream connect error") {
		t.Errorf("got %v", err)
	}
}

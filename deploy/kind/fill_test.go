package kind

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	manifests "github.com/faultline-lab/faultline/deploy/kubernetes"
)

func TestAWaitForPodsThatWasInVainSaysWhy(t *testing.T) {
	objects, err := manifests.Render(manifests.Options{Overlay: overlay})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close() // an API server that is gone
	a := &ascent{
		cfg: Config{ReadyWithin: time.Second}, objects: objects, config: &rest.Config{Host: "http://" + listener.Addr().String()},
	}
	_, err = a.awaitReady(t.Context(), func(string) {})
	if err == nil {
		t.Fatal("everything is said to be ready")
	}
	for _, part := range []string{"not ready within 1s", "connection refused", "stack kind status"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("it does not say %q: %v", part, err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	if _, err := a.awaitReady(ctx, func(string) {}); !errors.Is(err, cause) {
		t.Errorf("interrupted, it says %v", err)
	}
}

package reports

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
)

// defaultDays is a month.
const defaultDays = 30

// Reporter makes reports.
type Reporter interface {
	Revenue(ctx context.Context, days int) (Revenue, error)
}

// Handler answers with the revenue of the last ?days=N.
func Handler(reporter Reporter, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		days, err := daysOf(r)
		var revenue Revenue
		if err == nil {
			revenue, err = reporter.Revenue(r.Context(), days)
		}
		if err != nil {
			if known := apierror.From(err); known.Code.Status() >= http.StatusInternalServerError {
				log.Log(r.Context(), apierror.Level(known), "report not made", "error_code", known.Code, "error", err)
			}
			apierror.Write(w, err)
			return
		}
		jsonhttp.Write(w, http.StatusOK, revenue)
	})
}

func daysOf(r *http.Request) (int, error) {
	text := r.URL.Query().Get("days")
	if text == "" {
		return defaultDays, nil
	}
	days, err := strconv.Atoi(text)
	if err != nil {
		return 0, apierror.New(apierror.BadRequest, "days=%.32q is no number: ask for 1 to %d", text, MaxDays)
	}
	return days, nil
}

package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/faultline-lab/faultline/autoheal/bearer"
	"github.com/faultline-lab/faultline/autoheal/problem"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// Deliveries keeps a delivery durably.
type Deliveries interface {
	SaveDelivery(ctx context.Context, d store.Delivery) (store.Counts, error)
}

// Config holds what a handler needs; all fields without a default are required.
type Config struct {
	Deliveries Deliveries
	// Token is the bearer token that Alertmanager must send.
	Token string
	// Wake is called when alerts have become durable, so that nobody has to poll. It must not block.
	Wake   func()
	Logger *slog.Logger
	// Registerer takes the handler's own metrics.
	Registerer prometheus.Registerer
	// MaxBytes bounds a body; 16 MB by default: some 10,000 alerts.
	MaxBytes int64
	// SaveTimeout bounds the write; 5 s by default. After it the answer is 503 and Alertmanager tries again.
	SaveTimeout time.Duration
	Now         func() time.Time
}

func (c *Config) defaults() error {
	switch {
	case c.Deliveries == nil:
		return errors.New("webhook: no store was given")
	case c.Token == "":
		return errors.New("webhook: the token is empty: give --webhook-token-file a file with a token in it")
	case c.Wake == nil:
		return errors.New("webhook: nobody to wake was given")
	case c.Logger == nil:
		return errors.New("webhook: no logger was given")
	case c.Registerer == nil:
		return errors.New("webhook: no metrics registerer was given")
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 16 << 20
	}
	if c.SaveTimeout == 0 {
		c.SaveTimeout = 5 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// Handler is the http.Handler of POST /webhook/alertmanager.
type Handler struct {
	cfg    Config
	token  bearer.Token
	alerts *prometheus.CounterVec
	posts  *prometheus.CounterVec
}

// New makes a handler.
func New(cfg Config) (*Handler, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	h := &Handler{
		cfg: cfg, token: bearer.New(cfg.Token),
		alerts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "autoheal_alerts_received_total",
			Help: "Alerts taken in, by what they were to the store: new, updated or duplicate.",
		}, []string{"result"}),
		posts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "autoheal_webhooks_total",
			Help: "Webhook deliveries by answer: accepted, unauthorized, malformed, too_large or not_persisted.",
		}, []string{"answer"}),
	}
	for _, result := range []string{"new", "updated", "duplicate"} {
		h.alerts.WithLabelValues(result)
	}
	for _, answer := range []string{"accepted", "unauthorized", "malformed", "too_large", "not_persisted"} {
		h.posts.WithLabelValues(answer)
	}
	if err := errors.Join(cfg.Registerer.Register(h.alerts), cfg.Registerer.Register(h.posts)); err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	return h, nil
}

// ServeHTTP answers 202 once the alerts are durable; 401, 400 and 413 where a retry would not help; 503 where it would.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	received := h.cfg.Now()
	if !h.token.In(r) {
		h.posts.WithLabelValues("unauthorized").Inc()
		w.Header().Set("WWW-Authenticate", "Bearer")
		problem.Write(w, problem.Unauthorized, "the bearer token is missing or wrong: send the one of the webhook token file")
		return
	}
	body := &upload{from: http.MaxBytesReader(w, r.Body, h.cfg.MaxBytes)}
	delivery, err := parse(body, received)
	if err != nil {
		h.refuse(w, body, err)
		return
	}
	// The sender may hang up while the disk is slow; what it sent is kept all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), h.cfg.SaveTimeout)
	defer cancel()
	counts, err := h.cfg.Deliveries.SaveDelivery(ctx, delivery)
	if err != nil {
		h.posts.WithLabelValues("not_persisted").Inc()
		h.cfg.Logger.ErrorContext(ctx, "alerts could not be persisted; Alertmanager will send them again", "error", err)
		problem.Write(w, problem.Unavailable, "the alerts could not be written to disk; nothing was taken in: send them again")
		return
	}
	h.cfg.Wake()
	h.count(counts)
	h.cfg.Logger.InfoContext(ctx, "alerts taken in", "new", counts.New, "updated", counts.Updated,
		"duplicate", counts.Duplicate, "truncated", delivery.Truncated)
	problem.JSON(w, http.StatusAccepted, map[string]int{
		"new": counts.New, "updated": counts.Updated, "duplicate": counts.Duplicate,
	})
}

// refuse says what is wrong with a payload, or with the body that it came in.
func (h *Handler) refuse(w http.ResponseWriter, body *upload, err error) {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(body.failed, &tooLarge) {
		h.posts.WithLabelValues("too_large").Inc()
		problem.Write(w, problem.TooLarge, fmt.Sprintf(
			"the body is larger than %d bytes: set max_alerts in Alertmanager's webhook_config", tooLarge.Limit))
		return
	}
	h.posts.WithLabelValues("malformed").Inc()
	if body.failed != nil {
		problem.Write(w, problem.BadRequest, "the body could not be read to its end")
		return
	}
	problem.Write(w, problem.BadRequest, err.Error())
}

// upload is a body that remembers whether it could not be read: that is another complaint than one about what is in it.
type upload struct {
	from   io.Reader
	failed error
}

func (u *upload) Read(p []byte) (int, error) {
	n, err := u.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		u.failed = err
	}
	return n, err
}

func (h *Handler) count(c store.Counts) {
	h.posts.WithLabelValues("accepted").Inc()
	h.alerts.WithLabelValues("new").Add(float64(c.New))
	h.alerts.WithLabelValues("updated").Add(float64(c.Updated))
	h.alerts.WithLabelValues("duplicate").Add(float64(c.Duplicate))
}

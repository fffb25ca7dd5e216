package bot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/target"
	"github.com/faultline-lab/faultline/e2e/record"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// acceptFor is the time to live of the mode that the bot asks for; it asks again well before that.
const acceptFor = 15 * time.Second

// accepter has the edge take all orders for later, whatever the alert says.
type accepter struct {
	client *http.Client
	url    string
	token  string
}

func newAccepter(stack endpoints.Stack, _ target.Control) (habit, error) {
	if stack.Endpoints.EdgeControl == "" {
		return nil, errors.New("the stack names no control port of the edge: accept-bot has nobody to ask")
	}
	token, err := endpoints.Token(stack.EdgeControlTokenFile)
	if err != nil {
		return nil, fmt.Errorf("the edge's token cannot be read: %w", err)
	}
	return accepter{&http.Client{Timeout: 2 * time.Second}, stack.Endpoints.EdgeControl, token}, nil
}

func (accepter) again() time.Duration { return acceptFor / 3 }

func (a accepter) answer(ctx context.Context, _ alert) []record.Action {
	header := http.Header{"Authorization": {"Bearer " + a.token}}
	var now edge.State
	err := control.Call(ctx, a.client, nil, http.MethodGet, a.url+"/v1/state", nil, &now)
	if err == nil && now.Mode == edge.Accept {
		// It stands already: asking again only lets it stand longer, which is no further action.
		_ = a.ask(ctx, header, edge.Accept)
		return nil
	}
	action := record.Action{
		Remedy: "accept", Kind: string(incident.EdgeTarget), Target: "storefront",
		StartedAt: time.Now().UTC(), Result: incident.ResultDone,
	}
	if err == nil {
		err = a.ask(ctx, header, now.Mode)
	}
	if err != nil {
		action.Result = incident.ResultFailed
	}
	return []record.Action{action}
}

func (a accepter) ask(ctx context.Context, header http.Header, present string) error {
	body := map[string]string{"mode": edge.Accept, "for": acceptFor.String(), "if": present, "by": "accept-bot"}
	return control.Call(ctx, a.client, header, http.MethodPut, a.url+"/v1/mode", body, nil)
}

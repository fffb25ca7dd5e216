package control

import (
	"net/http"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
	"github.com/faultline-lab/faultline/apps/storefront/mode"
)

// Bounds of a change: shorter than a renewal takes makes no sense, and longer than this nobody should be forgotten.
const (
	shortest = time.Second
	longest  = 30 * time.Minute
	maxBy    = 200
	maxAdmit = 10_000
)

type modeChange struct {
	Mode  mode.Mode `json:"mode"`
	For   string    `json:"for"`
	If    mode.Mode `json:"if"`
	By    string    `json:"by"`
	Key   string    `json:"key"`
	Admit int       `json:"admit"`
}

func (a api) setMode(w http.ResponseWriter, r *http.Request) {
	var body modeChange
	err := jsonhttp.Read(r, &body)
	var change mode.Change[mode.Setting]
	if err == nil {
		change, err = a.modeOf(body)
	}
	if err == nil {
		err = a.Keeper.SetMode(r.Context(), change)
	}
	if err != nil {
		apierror.Write(w, err)
		return
	}
	a.show(w, r)
}

// modeOf reads a change; who leaves out "if" takes the mode for normal.
func (a api) modeOf(body modeChange) (change mode.Change[mode.Setting], err error) {
	if body.If == "" {
		body.If = mode.Normal
	}
	for name, given := range map[string]mode.Mode{"mode": body.Mode, "if": body.If} {
		if !slices.Contains(mode.Modes(), given) {
			return change, apierror.New(apierror.BadRequest, "%s=%.32q is no mode: use normal, defer-payment, accept or shed", name, given)
		}
	}
	change = mode.Change[mode.Setting]{Value: mode.Setting{Mode: body.Mode}, If: mode.Setting{Mode: body.If}, By: body.By, Key: body.Key}
	switch {
	case body.Mode == mode.Accept && a.Backlog == nil:
		return change, apierror.New(apierror.BadRequest, "accept needs a queue: start storefront with --queue=FILE")
	case body.Mode == mode.Shed && (body.Admit < 1 || body.Admit > maxAdmit):
		return change, apierror.New(apierror.BadRequest, "admit=%d: say how many checkouts a second shed lets through, 1 to %d", body.Admit, maxAdmit)
	case body.Mode == mode.Shed:
		change.Value.Admit = body.Admit
	}
	change.For, err = period(body.For, body.By+body.Key, body.Mode == mode.Normal)
	return change, err
}

type weightsChange struct {
	Stable  *int          `json:"stable"`
	Standby *int          `json:"standby"`
	For     string        `json:"for"`
	If      *mode.Weights `json:"if"`
	By      string        `json:"by"`
	Key     string        `json:"key"`
}

func (a api) setWeights(w http.ResponseWriter, r *http.Request) {
	var body weightsChange
	err := jsonhttp.Read(r, &body)
	var change mode.Change[mode.Weights]
	if err == nil {
		change, err = weightsOf(body)
	}
	if err == nil {
		err = a.Keeper.SetWeights(r.Context(), change)
	}
	if err != nil {
		apierror.Write(w, err)
		return
	}
	a.show(w, r)
}

// weightsOf reads a change; who leaves out "if" takes the weights for the usual ones.
func weightsOf(body weightsChange) (change mode.Change[mode.Weights], err error) {
	if body.Stable == nil || body.Standby == nil || *body.Stable < 0 || *body.Standby < 0 || *body.Stable+*body.Standby != 100 {
		return change, apierror.New(apierror.BadRequest, `give two shares that add up to 100, such as {"stable":0,"standby":100,"for":"30s"}`)
	}
	expected := mode.Usual()
	if body.If != nil {
		expected = *body.If
	}
	change = mode.Change[mode.Weights]{Value: mode.Weights{Stable: *body.Stable, Standby: *body.Standby}, If: expected, By: body.By, Key: body.Key}
	change.For, err = period(body.For, body.By+body.Key, change.Value == mode.Usual())
	return change, err
}

// period reads for how long; what is usual stays, and needs no time.
func period(text, by string, usual bool) (time.Duration, error) {
	if len(by) > maxBy {
		return 0, apierror.New(apierror.BadRequest, "by and key are longer than %d bytes: name who asks, and for what", maxBy)
	}
	if usual {
		return 0, nil
	}
	length, err := time.ParseDuration(text)
	if err != nil || length < shortest || length > longest {
		return 0, apierror.New(apierror.BadRequest,
			`for=%.32q: give a time from %s to %s, such as "15s", and ask again before it has passed`, text, shortest, longest)
	}
	return length, nil
}

package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/store"
)

// reader reads Alertmanager's webhook data, version 4, one alert after the other: a body of 10,000 alerts is never in memory as a
// whole.
type reader struct {
	json    *json.Decoder
	version string
	d       store.Delivery
}

// parse turns a body into a delivery. The error's text is fit for the sender, unless it is the body's own.
func parse(body io.Reader, at time.Time) (store.Delivery, error) {
	r := &reader{json: json.NewDecoder(body), d: store.Delivery{ReceivedAt: at}}
	if err := r.object(); err != nil {
		return store.Delivery{}, err
	}
	switch {
	case r.version != "4":
		return store.Delivery{}, fmt.Errorf("the payload's version is %q; this healer reads Alertmanager's version \"4\"", r.version)
	case r.d.Truncated < 0:
		return store.Delivery{}, fmt.Errorf("truncatedAlerts is %d; it cannot be negative", r.d.Truncated)
	case len(r.d.Alerts) == 0:
		return store.Delivery{}, errors.New("the payload has no alerts")
	}
	return r.d, nil
}

func noJSON(err error) error {
	return fmt.Errorf("the body is no JSON of Alertmanager's webhook: %w", err)
}

// object reads the body to its end; what comes after the object is an error, as it is to json.Unmarshal.
func (r *reader) object() error {
	start, err := r.json.Token()
	if err == nil && start != json.Delim('{') {
		err = errors.New("it is no object")
	}
	if err != nil {
		return noJSON(err)
	}
	for r.json.More() {
		name, err := r.json.Token()
		if err != nil {
			return noJSON(err)
		}
		if err := r.field(fmt.Sprint(name)); err != nil {
			return err
		}
	}
	if _, err := r.json.Token(); err != nil { // the end of the object
		return noJSON(err)
	}
	switch _, err := r.json.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return noJSON(errors.New("there is more after its end"))
	default:
		return noJSON(err)
	}
}

// field reads a value. Names are compared like json.Unmarshal does, whatever their case, and of two fields of a name the last counts.
func (r *reader) field(name string) error {
	var into any = &json.RawMessage{}
	switch {
	case strings.EqualFold(name, "alerts"):
		return r.alerts()
	case strings.EqualFold(name, "version"):
		into = &r.version
	case strings.EqualFold(name, "groupKey"):
		into = &r.d.GroupKey
	case strings.EqualFold(name, "truncatedAlerts"):
		into = &r.d.Truncated
	}
	if err := r.json.Decode(into); err != nil {
		return noJSON(err)
	}
	return nil
}

func (r *reader) alerts() error {
	r.d.Alerts = nil
	start, err := r.json.Token()
	switch {
	case err != nil:
		return noJSON(err)
	case start == nil: // null is no alerts
		return nil
	case start != json.Delim('['):
		return noJSON(errors.New("alerts must be a list"))
	}
	for r.json.More() {
		var a alert
		if err := r.json.Decode(&a); err != nil {
			return noJSON(err)
		}
		checked, err := a.check(r.d.ReceivedAt)
		if err != nil {
			return fmt.Errorf("alerts[%d]: %w", len(r.d.Alerts), err)
		}
		r.d.Alerts = append(r.d.Alerts, checked)
	}
	if _, err := r.json.Token(); err != nil { // the end of the list
		return noJSON(err)
	}
	return nil
}

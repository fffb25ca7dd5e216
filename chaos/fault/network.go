package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/experiment"
)

// networkParameters are the fault's keys in the experiment file.
type networkParameters struct {
	Toxic   string              `yaml:"toxic"`   // latency, partition, reset
	Latency experiment.Duration `yaml:"latency"` // each way; for latency only
	Jitter  experiment.Duration `yaml:"jitter"`  // more or less than latency, evenly; for latency only
}

// toxics is what the network can do, as Toxiproxy calls it.
var toxics = map[string]func(networkParameters) (kind string, attributes map[string]any){
	"latency": func(p networkParameters) (string, map[string]any) {
		return "latency", map[string]any{"latency": p.Latency.Milliseconds(), "jitter": p.Jitter.Milliseconds()}
	},
	// Nothing gets through, and nobody is told.
	"partition": func(networkParameters) (string, map[string]any) { return "timeout", map[string]any{"timeout": 0} },
	// Every connection is reset as soon as something is sent on it.
	"reset": func(networkParameters) (string, map[string]any) { return "reset_peer", map[string]any{"timeout": 0} },
}

func checkNetwork(e experiment.Experiment) error {
	_, err := readNetworkParameters(e)
	return err
}

func readNetworkParameters(e experiment.Experiment) (networkParameters, error) {
	var p networkParameters
	if err := e.Fault.Parameters.Decode(&p); err != nil {
		return p, err
	}
	need := needs{e: e}
	need.that(toxics[p.Toxic] != nil, "toxic", "what the network does: latency, partition or reset")
	need.that((p.Toxic == "latency") == (p.Latency.Duration > 0), "latency", "how long each way takes, for example 60ms; for the toxic latency only")
	need.that(p.Jitter.Duration >= 0 && p.Jitter.Duration <= p.Latency.Duration, "jitter", "0 to latency")
	return p, need.err()
}

// network puts toxics on the way between a service and its database, one for each direction. They bear the run's id, and
// no others are ever touched.
type network struct {
	api        string
	parameters networkParameters
	workload   string
	proxy      string
	id         string
	client     *http.Client
}

func openNetwork(e experiment.Experiment, env Environment) (Driver, error) {
	parameters, err := readNetworkParameters(e)
	if err != nil {
		return nil, err
	}
	if env.Stack.Kubernetes != nil {
		return openMesh(e, env)
	}
	if env.Stack.Endpoints.Toxiproxy == "" {
		return nil, errors.New("the stack names no Toxiproxy: there is nothing between services and databases that could be disturbed")
	}
	return &network{
		api: env.Stack.Endpoints.Toxiproxy, parameters: parameters, workload: e.Scope.Workload, proxy: e.Scope.Workload + "-db",
		id: env.shortID(), client: &http.Client{Timeout: callBound, Transport: env.Transport.Around(http.DefaultTransport)},
	}, nil
}

// networkState names what was put where.
type networkState struct {
	Proxy  string   `json:"proxy"`
	Toxics []string `json:"toxics"`
}

// Prepare looks whether there is such a proxy.
func (n *network) Prepare(ctx context.Context) (State, error) {
	if _, err := n.there(ctx, n.proxy); err != nil {
		return nil, err
	}
	return json.Marshal(networkState{Proxy: n.proxy, Toxics: []string{n.name("upstream"), n.name("downstream")}})
}

func (n *network) name(stream string) string { return "chaos-" + n.id + "-" + stream }

// Inject puts a toxic on each direction.
func (n *network) Inject(ctx context.Context, prepared State) (Injection, error) {
	injection := Injection{State: prepared, Affected: []string{n.workload}}
	kind, attributes := toxics[n.parameters.Toxic](n.parameters)
	for _, stream := range []string{"upstream", "downstream"} {
		toxic := map[string]any{"name": n.name(stream), "type": kind, "stream": stream, "toxicity": 1.0, "attributes": attributes}
		if err := n.call(ctx, http.MethodPost, "/proxies/"+n.proxy+"/toxics", toxic, nil); err != nil {
			return injection, err
		}
	}
	injection.Detail = fmt.Sprintf("%s each way between %s and its database", n.describe(), n.workload)
	return injection, nil
}

func (n *network) describe() string {
	if n.parameters.Toxic == "latency" {
		return fmt.Sprintf("%s (± %s) of latency", n.parameters.Latency.Duration, n.parameters.Jitter.Duration)
	}
	return n.parameters.Toxic
}

// there lists the names of the toxics on a proxy.
func (n *network) there(ctx context.Context, proxy string) ([]string, error) {
	var answer struct {
		Toxics []struct {
			Name string `json:"name"`
		} `json:"toxics"`
	}
	if err := n.call(ctx, http.MethodGet, "/proxies/"+proxy, nil, &answer); err != nil {
		return nil, err
	}
	var names []string
	for _, toxic := range answer.Toxics {
		names = append(names, toxic.Name)
	}
	return names, nil
}

// StillPresent asks Toxiproxy for the toxics.
func (n *network) StillPresent(ctx context.Context, encoded State) (Presence, error) {
	state, err := decode[networkState](encoded)
	if err != nil {
		return Presence{}, err
	}
	names, err := n.there(ctx, state.Proxy)
	if err != nil {
		return Presence{}, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !slices.Contains(state.Toxics, name) })
	if len(names) == 0 {
		return Presence{Subjects: []string{}, Detail: "no toxic of this run is on " + state.Proxy}, nil
	}
	slices.Sort(names)
	return Presence{
		Present: true, Subjects: []string{n.workload}, Detail: fmt.Sprintf("%s on %s: %s", n.describe(), state.Proxy, strings.Join(names, ", ")),
	}, nil
}

// Restore removes the run's toxics.
func (n *network) Restore(ctx context.Context, encoded State) error {
	state, err := decode[networkState](encoded)
	if err != nil {
		return err
	}
	var problems []error
	for _, name := range state.Toxics {
		err := n.call(ctx, http.MethodDelete, "/proxies/"+state.Proxy+"/toxics/"+name, nil, nil)
		if refused, ok := errors.AsType[*control.Refusal](err); ok && refused.Status == http.StatusNotFound {
			continue
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

func (n *network) call(ctx context.Context, method, path string, body, into any) error {
	err := control.Call(ctx, n.client, nil, method, n.api+path, body, into)
	if err != nil {
		return fmt.Errorf("toxiproxy: %w", err)
	}
	return nil
}

// callBound is the longest that one call of a stack's program may take.
const callBound = 5 * time.Second

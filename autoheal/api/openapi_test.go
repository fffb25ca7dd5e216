package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/faultline-lab/faultline/autoheal/api"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// description is the OpenAPI file as it is served.
func description(t *testing.T, url string) map[string]any {
	t.Helper()
	status, text := get(t, url+"/api/v1/openapi.yaml")
	var file map[string]any
	if err := yaml.Unmarshal([]byte(text), &file); err != nil || status != http.StatusOK {
		t.Fatalf("the file: %d, %v", status, err)
	}
	return file
}

// schema compiles one schema of the file: those of OpenAPI 3.1 are JSON Schema 2020-12.
func schema(t *testing.T, file map[string]any, name string) *jsonschema.Schema {
	t.Helper()
	raw, err := json.Marshal(file) // YAML's integers become JSON's numbers
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("openapi.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("openapi.json#/components/schemas/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func valid(t *testing.T, s *jsonschema.Schema, body string) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if err := s.Validate(value); err != nil {
		t.Errorf("%#v\nin %s", err, body)
	}
}

func TestEveryRouteIsInTheFileAndEveryPathOfTheFileIsServed(t *testing.T) {
	handler := handler(t, config(t, nil))
	var routes, paths []string
	err := chi.Walk(handler, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		routes = append(routes, method+" "+route)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range description(t, serve(t, nil))["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			if method != "parameters" {
				paths = append(paths, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(routes)
	slices.Sort(paths)
	if !slices.Equal(routes, paths) {
		t.Errorf("the router serves\n%s\nand the file has\n%s", strings.Join(routes, "\n"), strings.Join(paths, "\n"))
	}
}

// fill gives every field below a value, so that a field which the file does not know cannot hide by being empty.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(t0))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("k"), reflect.ValueOf("v"))
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Float64:
		v.SetFloat(0.5)
	}
}

// full is an incident with everything that there can be in one.
func full() incident.Incident {
	var in incident.Incident
	fill(reflect.ValueOf(&in).Elem())
	in.ID, in.State, in.Outcome = "full", incident.Awaiting, incident.Recovered
	in.Alerts[0].Status, in.Evidence[0].Status = "firing", incident.Known
	in.Actions[0].Kind, in.Actions[0].Result = incident.ReplicaTarget, incident.ResultDone
	in.Actions[0].Undo.Target.Kind, in.Actions[0].Undo.State = incident.EdgeTarget, incident.Standing
	in.Decisions[0].Seen = json.RawMessage(`{"workloads":[],"edge":null}`)
	in.Verification.Readings[0].Status, in.Approval.Answer = incident.Known, incident.Approved
	return in
}

func TestTheSchemaOfAnIncidentKnowsEveryFieldOfTheRecord(t *testing.T) {
	s := schema(t, description(t, serve(t, nil)), "Incident")
	raw, err := json.Marshal(full())
	if err != nil {
		t.Fatal(err)
	}
	valid(t, s, string(raw))
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.Replace(string(raw), `"rung"`, `"step"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if s.Validate(value) == nil {
		t.Error("a field that is not in the file passes")
	}
}

func TestRealAnswersAreWhatTheFileSays(t *testing.T) {
	url := serve(t, nil)
	file := description(t, url)
	for _, test := range []struct{ method, path, body, schema string }{
		{"GET", "/api/v1/incidents", "", "List"},
		{"GET", "/api/v1/incidents/old", "", "Incident"},
		{"GET", "/api/v1/incidents/asks", "", "Incident"},
		{"GET", "/api/v1/incidents/old/audit", "", "Audit"},
		{"GET", "/api/v1/status", "", "Status"},
		{"POST", "/api/v1/pause", `{"by":"ada","reason":"a release"}`, "Status"},
		{"GET", "/api/v1/status", "", "Status"},
		{"POST", "/api/v1/resume", `{"by":"ada"}`, "Status"},
		{"POST", "/api/v1/incidents/asks/approve", `{"by":"ada"}`, "Answered"},
		{"POST", "/api/v1/incidents/asks/deny", `{"by":"ada"}`, "Error"},
		{"GET", "/api/v1/incidents/none", "", "Error"},
		{"GET", "/api/v1/incidents?limit=0", "", "Error"},
		{"GET", "/elsewhere", "", "Error"},
	} {
		_, body := call(t, test.method, url+test.path, test.body, "secret")
		valid(t, schema(t, file, test.schema), body)
	}
}

func config(t *testing.T, ready error) api.Config {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "s.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // its content is not needed any more
	taken := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	return api.Config{
		Records: s, People: s, Webhook: taken, Metrics: taken, Ready: func(context.Context) error { return ready }, Token: "secret",
		Switch: func() guard.Switch { return guard.SwitchOff }, Autonomy: guard.Approve, Wake: func() {},
		Now: func() time.Time { return t0 }, Logger: slog.New(slog.DiscardHandler),
	}
}

func handler(t *testing.T, cfg api.Config) chi.Router {
	t.Helper()
	h, err := api.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

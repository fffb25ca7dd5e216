package notify

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/yamlfile"
)

type file struct {
	Version   int            `yaml:"version"`
	Receivers []fileReceiver `yaml:"receivers"`
}

type fileReceiver struct {
	Name      string       `yaml:"name"`
	Kinds     []string     `yaml:"kinds"`
	PagesOnly bool         `yaml:"pages_only"`
	Timeout   string       `yaml:"timeout"`
	Webhook   *fileWebhook `yaml:"webhook"`
	Grafana   *fileGrafana `yaml:"grafana"`
}

type fileWebhook struct {
	Method  string                `yaml:"method"`
	URL     string                `yaml:"url"`
	URLFile string                `yaml:"url_file"`
	Headers map[string]fileHeader `yaml:"headers"`
	Body    string                `yaml:"body"`
}

type fileHeader struct {
	Value  string `yaml:"value"`
	Prefix string `yaml:"prefix"`
	File   string `yaml:"file"`
}

type fileGrafana struct {
	URL       string   `yaml:"url"`
	TokenFile string   `yaml:"token_file"`
	Tags      []string `yaml:"tags"`
}

// kinds are all that a receiver may ask for.
var kinds = []incident.NoticeKind{
	incident.NoticeOpened, incident.NoticeActed, incident.NoticeApproval, incident.NoticeRecovered, incident.NoticeHanded,
	incident.NoticeUndone, incident.NoticeStorm,
}

// Load reads the receivers; the empty path gives none. Files of secrets need not be there yet.
func Load(path string) ([]Receiver, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--notify: %w", err)
	}
	return Parse(path, data)
}

// Parse reads the receivers from memory. Errors name the file and where in it.
func Parse(name string, data []byte) ([]Receiver, error) {
	var f file
	source, err := yamlfile.Decode(name, data, &f)
	if err != nil {
		return nil, err
	}
	if f.Version != 1 {
		return nil, source.Errorf("$.version", "version is %d; this healer reads version 1", f.Version)
	}
	if len(f.Receivers) == 0 {
		return nil, source.Errorf("$", "there are no receivers: name one, or leave --notify out")
	}
	var receivers []Receiver
	for i, r := range f.Receivers {
		p := parser{source, fmt.Sprintf("$.receivers[%d]", i)}
		checked, err := p.receiver(r)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(receivers, func(other Receiver) bool { return other.Name == r.Name }) {
			return nil, p.errorf(".name", "there are two receivers %q: give each a name of its own, by which it is remembered what it got", r.Name)
		}
		receivers = append(receivers, checked)
	}
	return receivers, nil
}

// parser knows where in the file it is.
type parser struct {
	source *yamlfile.File
	path   string
}

func (p parser) errorf(field, format string, args ...any) error {
	return p.source.Errorf(p.path+field, format, args...)
}

func (p parser) receiver(r fileReceiver) (Receiver, error) {
	checked := Receiver{Name: r.Name, pagesOnly: r.PagesOnly, timeout: 5 * time.Second}
	if r.Name == "" {
		return checked, p.errorf("", "the receiver has no name: by it is remembered what it got")
	}
	for i, kind := range r.Kinds {
		if !slices.Contains(kinds, incident.NoticeKind(kind)) {
			return checked, p.errorf(fmt.Sprintf(".kinds[%d]", i), "unknown kind %q; there are: %s", kind, list(kinds))
		}
		checked.kinds = append(checked.kinds, incident.NoticeKind(kind))
	}
	if r.Timeout != "" {
		d, err := time.ParseDuration(r.Timeout)
		if err != nil || d <= 0 || d > time.Minute {
			return checked, p.errorf(".timeout", "%q is no duration above zero and up to 1m: write it as 5s", r.Timeout)
		}
		checked.timeout = d
	}
	switch {
	case (r.Webhook == nil) == (r.Grafana == nil):
		return checked, p.errorf("", "receiver %q needs either webhook or grafana", r.Name)
	case r.Webhook != nil:
		return p.webhook(checked, *r.Webhook)
	}
	return p.grafana(checked, *r.Grafana)
}

func (p parser) grafana(r Receiver, g fileGrafana) (Receiver, error) {
	if err := p.address(".grafana.url", g.URL); err != nil {
		return r, err
	}
	if g.TokenFile == "" {
		return r, p.errorf(".grafana", "token_file is missing: a file with the token of a Grafana service account (role Editor)")
	}
	if len(g.Tags) == 0 {
		g.Tags = []string{"autoheal"}
	}
	r.method, r.url = http.MethodPost, secret{text: strings.TrimRight(g.URL, "/") + "/api/annotations"}
	r.headers = map[string]secret{"Content-Type": {text: "application/json"}, "Authorization": {prefix: "Bearer ", file: g.TokenFile}}
	r.write = annotate(g.Tags)
	return r, nil
}

func (p parser) address(field, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return p.errorf(field, "this is no http or https URL") // not repeated: it may hold a password
	}
	if u.User != nil {
		return p.errorf(field, "the URL holds a password: give it as a header with file, or the whole URL as url_file")
	}
	return nil
}

func list[T ~string](names []T) string {
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = string(n)
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

package notify

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/yamlfile"
)

// defaultBody is the notice itself.
const defaultBody = `{{json .}}`

// methods are those with a body.
var methods = []string{http.MethodPost, http.MethodPut, http.MethodPatch}

func (p parser) webhook(r Receiver, w fileWebhook) (Receiver, error) {
	r.method, r.headers = w.Method, map[string]secret{"Content-Type": {text: "application/json"}}
	if r.method == "" {
		r.method = http.MethodPost
	}
	if !slices.Contains(methods, r.method) {
		return r, p.errorf(".webhook.method", "method %q carries no body; there are: %s", r.method, list(methods))
	}
	switch {
	case (w.URL == "") == (w.URLFile == ""):
		return r, p.errorf(".webhook", "give either url, or url_file where the address is a secret")
	case w.URLFile != "":
		r.url = secret{file: w.URLFile}
	default:
		if err := p.address(".webhook.url", w.URL); err != nil {
			return r, err
		}
		r.url = secret{text: w.URL}
	}
	for name, h := range w.Headers {
		at := ".webhook.headers" + yamlfile.Quoted(name)
		if (h.Value == "") == (h.File == "") {
			return r, p.errorf(at, "header %s needs either value, or file (with prefix, such as \"Bearer \") where it is a secret", name)
		}
		if h.Prefix != "" && h.File == "" {
			return r, p.errorf(at, "header %s: prefix goes with file; write it into value", name)
		}
		r.headers[http.CanonicalHeaderKey(name)] = secret{text: h.Value, prefix: h.Prefix, file: h.File}
	}
	return p.body(r, w.Body)
}

// body parses the template and tries it on a notice of each kind: what fails must not wait for the night when it is needed.
func (p parser) body(r Receiver, text string) (Receiver, error) {
	if text == "" {
		text = defaultBody
	}
	parsed, err := template.New("body").Option("missingkey=error").Funcs(template.FuncMap{"json": asJSON}).Parse(text)
	if err != nil {
		return r, p.errorf(".webhook.body", "the template cannot be read: %v", err)
	}
	isJSON := strings.HasPrefix(r.headers["Content-Type"].text, "application/json")
	for _, kind := range kinds {
		var body bytes.Buffer
		if err := parsed.Execute(&body, sample(kind)); err != nil {
			return r, p.errorf(".webhook.body", "the template fails on a notice of kind %s: %v; there are .Seq .At .IncidentID .Kind .Page .Text .Workload .Cause", kind, err)
		}
		if isJSON && !json.Valid(body.Bytes()) {
			return r, p.errorf(".webhook.body", "what the template makes of a notice of kind %s is no JSON: write {{json .Text}} and no quotation marks around it, or give another Content-Type", kind)
		}
	}
	r.write = fromTemplate(parsed)
	return r, nil
}

// sample has in its text what breaks a template that does not quote.
func sample(kind incident.NoticeKind) incident.Notice {
	return incident.Notice{
		Seq: 17, At: time.Unix(1767323045, 0).UTC(), IncidentID: "20260102-030405-abcdef", Kind: kind, Page: true,
		Text: "two lines,\n\"quoted\" \\ and <b>bold</b>", Workload: "orders", Cause: incident.ConnectionLeak,
	}
}

// asJSON writes any value as JSON, a text with its quotation marks.
func asJSON(value any) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return strings.TrimSuffix(text.String(), "\n"), err
}

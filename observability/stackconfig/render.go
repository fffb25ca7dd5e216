package stackconfig

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"text/template"
	"time"
)

//go:embed *.tmpl
var files embed.FS

// DefaultRetention is how long Prometheus keeps samples, and Alertmanager what it was told, where nobody says otherwise.
const DefaultRetention = 6 * time.Hour

// render fills one template. A missing field is an error there and not an empty string in a configuration.
func render(name string, params any) ([]byte, error) {
	parsed, err := template.New(name).Option("missingkey=error").Funcs(template.FuncMap{
		"quote":    quote,
		"hostport": func(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) },
	}).ParseFS(files, name)
	if err != nil {
		return nil, fmt.Errorf("stackconfig: %w", err)
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, params); err != nil {
		return nil, fmt.Errorf("stackconfig: %w", err)
	}
	return out.Bytes(), nil
}

// quote makes a YAML string of any text: YAML takes JSON's strings, and a path may hold anything.
func quote(text string) (string, error) {
	quoted, err := json.Marshal(text)
	return string(quoted), err
}

// validPort says whether a program can be told to listen there; 0 would mean "any", and nobody would find it.
func validPort(name string, port int) error {
	if port < 1 || port > 65535 {
		return fmt.Errorf("stackconfig: %s is %d: use a port from 1 to 65535", name, port)
	}
	return nil
}

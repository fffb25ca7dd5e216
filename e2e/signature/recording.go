package signature

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Healthy is the name under which the looks before every injection are judged.
const Healthy = "healthy"

// Recording is one run of one experiment, without a healer, as telemetry told it.
type Recording struct {
	Experiment string    `json:"experiment"`
	Seed       int64     `json:"seed"`
	Target     string    `json:"target"`
	Machine    string    `json:"machine"`
	InjectedAt time.Time `json:"injected_at"`
	// AlertAt is when the expected alert fired; null where none is expected.
	AlertAt *time.Time `json:"alert_at"`
	// Queries are the questions by the name of the fact that answers them; a fact that was asked for otherwise says so itself.
	Queries map[string]string `json:"queries,omitempty"`
	// Before is the baseline, in the steady state; During are looks while the fault was in force, the first at the alert.
	Before Look   `json:"before"`
	During []Look `json:"during"`
}

// Look is all that was asked at one moment.
type Look struct {
	// After is how long after the injection it began, in seconds; negative for the baseline.
	After float64 `json:"after_s"`
	Facts []Fact  `json:"facts"`
}

// Status tells a measured fact from one that could not be had; unknown is never zero.
type Status string

// The two statuses.
const (
	Known   Status = "known"
	Unknown Status = "unknown"
)

// Fact is one answer: what was asked, of whom, and what came back.
type Fact struct {
	Name    string `json:"name"`   // a constant of this package
	Source  string `json:"source"` // prometheus, postgres, workloads, loki, jaeger
	Subject string `json:"subject"`
	Query   string `json:"query,omitempty"`
	Status  Status `json:"status"`
	// Value is a plain number; what an unknown fact has here says nothing.
	Value  float64   `json:"value"`
	Unit   string    `json:"unit"`             // UCUM, or the thing counted
	Detail string    `json:"detail,omitempty"` // in words; why, where Status is unknown
	At     time.Time `json:"at"`
}

// of returns the known facts of a name.
func (l Look) of(name string) []Fact {
	var found []Fact
	for _, fact := range l.Facts {
		if fact.Name == name && fact.Status == Known {
			found = append(found, fact)
		}
	}
	return found
}

// Has says that the fact was asked for, whatever the answer was.
func (l Look) Has(name string) bool {
	for _, fact := range l.Facts {
		if fact.Name == name {
			return true
		}
	}
	return false
}

// File is the recording's name in its folder.
func (r Recording) File() string { return fmt.Sprintf("%s-seed-%d.json", r.Experiment, r.Seed) }

// Save writes the recording into a folder, one fact a line and each question once, so that it can be read.
func (r Recording) Save(folder string) (string, error) {
	r.Queries = map[string]string{}
	looks := append([]Look{r.Before}, r.During...)
	for i := range looks {
		looks[i] = looks[i].without(r.Queries)
	}
	head, err := json.Marshal(struct {
		Recording
		Before *Look  `json:"before,omitempty"`
		During []Look `json:"during,omitempty"`
	}{Recording: r})
	if err != nil {
		return "", err
	}
	var text strings.Builder
	text.WriteString(strings.TrimSuffix(string(head), "}") + ",\n\"before\":")
	for i, look := range looks {
		if i > 0 {
			text.WriteString(map[bool]string{true: ",\n\"during\":[\n", false: ",\n"}[i == 1])
		}
		if err := look.write(&text); err != nil {
			return "", err
		}
	}
	text.WriteString("\n]}\n")
	path := filepath.Join(folder, r.File())
	return path, os.WriteFile(path, []byte(text.String()), 0o644)
}

// without moves the questions of the facts to the table of questions.
func (l Look) without(queries map[string]string) Look {
	l.Facts = slices.Clone(l.Facts)
	for i := range l.Facts {
		fact := &l.Facts[i]
		if _, known := queries[fact.Name]; !known {
			queries[fact.Name] = fact.Query
		}
		if queries[fact.Name] == fact.Query {
			fact.Query = ""
		}
	}
	return l
}

// ask puts the questions back into the facts.
func (l Look) ask(queries map[string]string) {
	for i := range l.Facts {
		if l.Facts[i].Query == "" {
			l.Facts[i].Query = queries[l.Facts[i].Name]
		}
	}
}

func (l Look) write(text *strings.Builder) error {
	fmt.Fprintf(text, "{\"after_s\":%g,\"facts\":[\n", l.After)
	for i, fact := range l.Facts {
		line, err := json.Marshal(fact)
		if err != nil {
			return err
		}
		if i > 0 {
			text.WriteString(",\n")
		}
		text.Write(line)
	}
	text.WriteString("\n]}")
	return nil
}

// Load reads every recording of a folder, in the order of their names.
func Load(folder fs.FS) ([]Recording, error) {
	names, err := fs.Glob(folder, "*.json")
	if err != nil {
		return nil, err
	}
	var all []Recording
	for _, name := range names {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		var one Recording
		if err := json.Unmarshal(data, &one); err != nil {
			return nil, fmt.Errorf("%s: %w: record it anew with `signature record`", name, err)
		}
		if one.File() != name {
			return nil, fmt.Errorf("%s is the recording of %s with seed %d: call it %s", name, one.Experiment, one.Seed, one.File())
		}
		for _, look := range append(one.During, one.Before) {
			look.ask(one.Queries)
		}
		all = append(all, one)
	}
	return all, nil
}

package contract

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// validator gathers what is wrong with a contract in itself.
type validator struct {
	c    *Contract
	src  *source
	used map[string]bool // attributes
	errs []error
}

func (v *validator) errorf(path, format string, args ...any) {
	v.errs = append(v.errs, v.src.errorf(path, format, args...))
}

func (v *validator) all() {
	v.programs()
	v.attributes()
	v.metrics()
	v.stack()
	v.spans()
	v.logs()
	for _, name := range slices.Sorted(maps.Keys(v.c.Attributes)) {
		if !v.used[name] {
			v.errorf(key("$.attributes", name), "attribute %s is on no metric, span or log: take it out", name)
		}
	}
}

var moments = []string{string(Always), string(UnderFailure), string(OnHeal), string(Rarely)}

var targets = []string{"local", "kind"}

func (v *validator) programs() {
	if len(v.c.Programs) == 0 {
		v.errorf("$", "programs are missing")
	}
	for name, p := range v.c.Programs {
		at := key("$.programs", name)
		v.about(at, p.About)
		if len(p.Targets) == 0 {
			v.errorf(at, "program %s: say on which targets it runs: local, kind", name)
		}
		v.oneOf(at+".targets", "target", p.Targets, targets)
	}
}

func (v *validator) attributes() {
	for name, a := range v.c.Attributes {
		at := key("$.attributes", name)
		v.about(at, a.About)
		if len(a.Values) > 0 && (a.Max > 0 || a.Pattern != "") {
			v.errorf(at, "attribute %s: values are a bound already; take max and pattern out", name)
		}
		if a.Max < 0 {
			v.errorf(at+".max", "attribute %s: max is a number of values", name)
		}
		if _, err := regexp.Compile(a.Pattern); err != nil {
			v.errorf(at+".pattern", "attribute %s: %v", name, err)
		}
	}
}

func (v *validator) spans() {
	for name, shape := range v.c.Shapes {
		at := key("$.shapes", name)
		v.about(at, shape.About)
		v.known(at+".attributes", shape.Attributes)
		v.known(at+".may_have", shape.MayHave)
	}
	seen := map[string]bool{}
	for i, s := range v.c.Spans {
		at := fmt.Sprintf("$.spans[%d]", i)
		if s.Name == "" {
			v.errorf(at, "a span without a name")
		}
		v.about(at, s.About)
		v.emitters(at, s.Programs, s.Seen)
		if _, known := v.c.Shapes[s.Shape]; s.Shape != "" && !known {
			v.errorf(at+".shape", "there is no shape %q", s.Shape)
		}
		v.oneOf(at, "kind", []string{s.Kind}, []string{"internal", "server", "client", "producer", "consumer"})
		v.known(at, s.Attributes)
		v.known(at, s.MayHave)
		for _, word := range s.words {
			if word.attribute != "" {
				v.known(at+".name", []string{word.attribute})
			}
		}
		for _, program := range s.Programs {
			if seen[program+s.Kind+s.Name] {
				v.errorf(at, "span %q of %s stands here twice", s.Name, program)
			}
			seen[program+s.Kind+s.Name] = true
		}
	}
}

func (v *validator) logs() {
	v.known("$.logs.resource", v.c.Logs.Resource)
	v.known("$.logs.context", v.c.Logs.Context)
	v.known("$.logs.may_have", v.c.Logs.MayHave)
	seen := map[string]bool{}
	for i, m := range v.c.Logs.Messages {
		at := fmt.Sprintf("$.logs.messages[%d]", i)
		if m.Message == "" {
			v.errorf(at, "a message without its text")
		}
		v.about(at, m.About)
		v.emitters(at, m.Programs, m.Seen)
		v.oneOf(at+".levels", "level", m.Levels, []string{"debug", "info", "warn", "error"})
		v.known(at+".fields", m.Fields)
		v.known(at+".may_have", m.MayHave)
		for _, program := range m.Programs {
			if seen[program+m.Message] {
				v.errorf(at, "message %q of %s stands here twice", m.Message, program)
			}
			seen[program+m.Message] = true
		}
	}
}

func (v *validator) about(path, about string) {
	if strings.TrimSpace(about) == "" {
		v.errorf(path, "about is missing: say in a few words what it means")
	}
}

// emitters are who emits something, and when.
func (v *validator) emitters(path string, programs []string, seen Seen) {
	if len(programs) == 0 {
		v.errorf(path, "programs are missing: say who emits it")
	}
	for _, program := range programs {
		if _, known := v.c.Programs[program]; !known {
			v.errorf(path+".programs", "there is no program %q", program)
		}
	}
	v.oneOf(path+".seen", "seen", []string{string(seen)}, moments)
}

func (v *validator) known(path string, attributes []string) {
	for _, name := range attributes {
		v.used[name] = true
		if _, known := v.c.Attributes[name]; !known {
			v.errorf(path, "%s is not among the attributes: say there what it means", name)
		}
	}
}

func (v *validator) oneOf(path, what string, got, allowed []string) {
	for _, value := range got {
		if !slices.Contains(allowed, value) {
			v.errorf(path, "%s %q: use one of %s", what, value, strings.Join(allowed, ", "))
		}
	}
}

// key is a path's step to a key, which may hold dots.
func key(path, name string) string { return path + ".'" + name + "'" }

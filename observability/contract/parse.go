package contract

import (
	"errors"
	"slices"
)

// every stands in a list of programs for all of them: of a metric, all that are scraped; of its exemplars, all that
// emit it.
const every = "every"

// Parse reads a contract strictly. Its errors are file:line: what is wrong, all of them joined.
func Parse(name string, data []byte) (Contract, error) {
	var c Contract
	src, err := decode(name, data, &c)
	if err != nil {
		return Contract{}, err
	}
	c.expand()
	v := validator{c: &c, src: src, used: map[string]bool{}}
	v.all()
	if len(v.errs) > 0 {
		return Contract{}, errors.Join(v.errs...)
	}
	return c, nil
}

// expand puts in what the file only refers to: the programs behind "every", the attributes behind a shape.
func (c *Contract) expand() {
	everyone := c.names(func(Program) bool { return true })
	scraped := c.names(func(p Program) bool { return p.Scraped })
	for i := range c.Metrics {
		m := &c.Metrics[i]
		m.Programs, m.Seen = programsOf(m.Programs, scraped), seenOf(m.Seen)
		m.Exemplars = programsOf(m.Exemplars, m.Programs)
	}
	for i := range c.Spans {
		s := &c.Spans[i]
		s.Programs, s.Seen = programsOf(s.Programs, everyone), seenOf(s.Seen)
		s.words = nameWords(s.Name)
		shape, known := c.Shapes[s.Shape]
		if !known {
			continue
		}
		if s.Kind == "" {
			s.Kind = shape.Kind
		}
		s.Attributes = slices.Concat(shape.Attributes, s.Attributes)
		s.MayHave = slices.Concat(shape.MayHave, s.MayHave)
	}
	for i := range c.Logs.Messages {
		m := &c.Logs.Messages[i]
		m.Programs, m.Seen = programsOf(m.Programs, everyone), seenOf(m.Seen)
		if len(m.Levels) == 0 {
			m.Levels = []string{"info"}
		}
	}
}

func programsOf(listed, everyone []string) []string {
	if len(listed) == 1 && listed[0] == every {
		return everyone
	}
	return listed
}

func seenOf(seen Seen) Seen {
	if seen == "" {
		return Always
	}
	return seen
}

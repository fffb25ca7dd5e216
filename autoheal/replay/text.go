package replay

import (
	"fmt"
	"strings"
)

// String tells a report in lines: same, or each round that differs.
func (r Report) String() string {
	decisions := 0
	var lines []string
	for _, round := range r.Rounds {
		if round.Recorded != nil {
			decisions++
		}
		if !round.Same {
			lines = append(lines, "  "+round.String())
		}
	}
	if r.Same {
		return fmt.Sprintf("%s same (%d rounds, %d decisions)", r.ID, len(r.Rounds), decisions)
	}
	return fmt.Sprintf("%s different\n%s", r.ID, strings.Join(lines, "\n"))
}

// String tells how a round was decided, and how it is now.
func (r Round) String() string {
	now := r.Replayed.String()
	if r.Replayed == nil {
		now = r.Summary
	}
	then := r.Recorded.String()
	if r.Recorded != nil && r.Replayed != nil && r.Recorded.Cause != r.Replayed.Cause {
		then, now = fmt.Sprintf("%s, %s", r.Recorded.Cause, then), fmt.Sprintf("%s, %s", r.Replayed.Cause, now)
	}
	return fmt.Sprintf("round %d: %s -> %s", r.Round, then, now)
}

// String tells what is to be done, and on what.
func (c *Choice) String() string {
	switch {
	case c == nil:
		return "nothing was decided"
	case c.Remedy == "" || len(c.Targets) == 0:
		return "nothing (" + c.Why + ")"
	case c.Why != "":
		return fmt.Sprintf("%s on %s, which is refused (%s)", c.Remedy, strings.Join(c.Targets, ", "), c.Why)
	}
	return fmt.Sprintf("%s on %s", c.Remedy, strings.Join(c.Targets, ", "))
}

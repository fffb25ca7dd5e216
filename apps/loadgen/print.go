package loadgen

import (
	"fmt"
	"io"
)

// Print writes a second as a line for people.
func Print(w io.Writer, s Second) error {
	verdict := "ok "
	if !s.OK {
		verdict = "BAD"
	}
	_, err := fmt.Fprintf(w, "%s %s  sent %3d  good %3d  slow %3d  failed %3d  excluded %2d  accepted %3d  p50 %6.1f ms  p99 %6.1f ms\n",
		s.Second.Format("15:04:05"), verdict, s.Sent, s.Good, s.Slow, s.Failed, s.Excluded, s.Accepted, s.P50Millis, s.P99Millis)
	return err
}

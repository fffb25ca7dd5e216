package sli

import "time"

// Second is one finished wall-clock second as the client saw it. A second is finished when every request that was
// sent in it has ended, so it arrives up to a client deadline (1.0 s) after it is over.
type Second struct {
	Second   time.Time `json:"second"` // its start, UTC
	Sent     int       `json:"sent"`
	Good     int       `json:"good"`     // completed (201) within 0.5 s of the intended send time
	Slow     int       `json:"slow"`     // completed later than that
	Failed   int       `json:"failed"`   // everything that is none of the others
	Excluded int       `json:"excluded"` // refused for a business reason (4xx)
	Accepted int       `json:"accepted"` // 202: taken, not completed
	// OK says that good is at least 95 % of sent - excluded, and that something was sent.
	OK             bool     `json:"ok"`
	P50Millis      float64  `json:"p50_ms"`
	P99Millis      float64  `json:"p99_ms"`
	FailedTraceIDs []string `json:"failed_trace_ids"` // at most 5
}

// Streak counts good seconds running. Its zero value is ready to use.
type Streak struct {
	first time.Time
	last  time.Time
	n     int
}

// Add takes the next second in. A bad second ends the streak, and so does a gap: a second that nobody reported is not
// known to be good.
func (s *Streak) Add(second Second) {
	switch {
	case !second.OK:
		s.n = 0
	case s.n > 0 && second.Second.Equal(s.last.Add(time.Second)):
		s.n++
	default:
		s.first, s.n = second.Second, 1
	}
	s.last = second.Second
}

// Len is the number of good seconds running at this moment.
func (s *Streak) Len() int { return s.n }

// Since is the first second of the streak; it means nothing while Len is 0.
func (s *Streak) Since() time.Time { return s.first }

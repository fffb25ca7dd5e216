package notify

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	firstPause   = time.Second
	longestPause = time.Minute
)

// backoff is the pause after a number of failed tries, from 1: it doubles up to a minute, and half of it is left to chance,
// in [0, 1), so that those who failed together do not come back together.
func backoff(tries int, chance float64) time.Duration {
	pause := longestPause
	if doublings := tries - 1; doublings < 6 {
		pause = min(longestPause, firstPause<<doublings)
	}
	return pause/2 + time.Duration(chance*float64(pause/2))
}

// retryAfter reads the header of RFC 9110, section 10.2.3: seconds, or a date. Zero where there is none that can be read.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.Atoi(text); err == nil {
		const mostSeconds = 24 * 60 * 60 // more than any patience, and no overflow
		return time.Duration(min(max(seconds, 0), mostSeconds)) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}

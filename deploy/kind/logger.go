package kind

import (
	"fmt"
	"strings"

	"sigs.k8s.io/kind/pkg/log"
)

// logger takes what kind says and hands on what it is about to do.
type logger struct {
	say func(string)
}

var _ log.Logger = logger{}

// begins is what kind's lines begin with that say what comes next.
const begins = "•"

func (l logger) Info(message string) {
	if _, text, ok := strings.Cut(message, begins); ok {
		l.say(plain(text))
	}
}

func (l logger) Infof(format string, args ...any) { l.Info(fmt.Sprintf(format, args...)) }

func (l logger) Enabled() bool { return true }

// V lets only what is meant for users through.
func (l logger) V(level log.Level) log.InfoLogger {
	if level > 0 {
		return logger{say: func(string) {}}
	}
	return l
}

// Warn is left out: the one warning there is, about cgroup v1, is this package's own business.
func (l logger) Warn(string) {}

// Warnf is Warn.
func (l logger) Warnf(string, ...any) {}

// Error is left out: what matters is in the error that is returned.
func (l logger) Error(string) {}

// Errorf is Error.
func (l logger) Errorf(string, ...any) {}

// plain leaves the pictures out.
func plain(text string) string {
	letters := strings.Map(func(r rune) rune {
		if r > 0x7e || r < ' ' {
			return -1
		}
		return r
	}, text)
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(letters), "..."))
}

package ports

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/faultline-lab/faultline/deploy/local/hostproc"
)

// TakenError says which ports of a set something else listens on.
type TakenError struct {
	Taken []Taken
}

// Taken is one port that is not free.
type Taken struct {
	Name   Name
	Port   int
	Holder string // who listens there, in words; empty where that cannot be found out
}

// Error lists every taken port, who wants it, who holds it, and what to do.
func (e *TakenError) Error() string {
	var text strings.Builder
	subject := "a port that the stack needs is"
	if len(e.Taken) > 1 {
		subject = fmt.Sprintf("%d ports that the stack needs are", len(e.Taken))
	}
	fmt.Fprintf(&text, "%s in use:\n", subject)
	for _, taken := range e.Taken {
		holder := taken.Holder
		if holder == "" {
			holder = "a connection on its way out, or a process that this user may not look at"
		}
		fmt.Fprintf(&text, "  %d, wanted by %s, is held by %s\n", taken.Port, taken.Name, holder)
	}
	fmt.Fprintf(&text, "end what holds them (`stack down` if it is a stack of this checkout), move one with %s=PORT, or move all with another %s (1000, 10000 ...)",
		e.Taken[0].Name.Variable(), envOffset)
	return text.String()
}

// Check tries to listen on every port of the set, and returns one *TakenError that names all that are taken. Any other
// error (no right to listen on a low port) is returned as it is.
func (s Set) Check(ctx context.Context) error {
	var taken []Taken
	for _, name := range s.Names() {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Address(name))
		if err == nil {
			if err := listener.Close(); err != nil {
				return err
			}
			continue
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("port %d for %s: %w: choose another with %s", s[name], name, err, name.Variable())
		}
		taken = append(taken, Taken{Name: name, Port: s[name], Holder: holder(s[name])})
	}
	if len(taken) > 0 {
		return &TakenError{Taken: taken}
	}
	return nil
}

func holder(port int) string {
	pid, command, ok := hostproc.Listener(port)
	if !ok {
		return ""
	}
	return fmt.Sprintf("process %d (%s)", pid, command)
}

// ephemeral is where the ports begin that the kernel gives to connections on their way out (Linux' default; other systems
// begin later). A port from there can be taken by anybody's connection at any moment.
const ephemeral = 32768

// Free returns the ports of the contract, moved by an offset at which all of them are free now, for tests that run beside
// other stacks.
func Free(ctx context.Context) (Set, error) {
	highest := slices.Max(slices.Collect(maps.Values(Default())))
	var last error
	for range 100 {
		set, offset := Default(), 1+rand.IntN(ephemeral-1-highest)
		for name := range set {
			set[name] += offset
		}
		if last = set.Check(ctx); last == nil {
			return set, nil
		}
	}
	return nil, fmt.Errorf("no free ports after 100 tries: %w", last)
}

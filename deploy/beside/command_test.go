package beside

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"
)

func TestRunPassesOnHowTheCommandEnded(t *testing.T) {
	for name, test := range map[string]struct {
		command string
		code    int
	}{
		"a command that succeeds":                {"true", 0},
		"a command's exit code is passed on":     {"exit 7", 7},
		"a command that a signal ended":          {"kill -TERM $$", 128 + 15},
		"a child of it that outlives it a while": {"sleep 5 & exit 3", 3},
	} {
		t.Run(name, func(t *testing.T) {
			cmd, err := Command([]string{"/bin/sh", "-c", test.command})
			if err != nil {
				t.Fatal(err)
			}
			var output bytes.Buffer
			cmd.Stdout, cmd.Stderr = &output, &output
			err = Run(t.Context(), cmd)
			if exit, ok := errors.AsType[*ExitError](err); ok {
				if exit.Code != test.code {
					t.Errorf("exit code %d, want %d", exit.Code, test.code)
				}
			} else if err != nil || test.code != 0 {
				t.Errorf("got %v, want exit code %d", err, test.code)
			}
		})
	}
}

func TestThereMustBeACommand(t *testing.T) {
	for name, argv := range map[string][]string{
		"no command":                  nil,
		"a command that is not there": {"there-is-no-such-command"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Command(argv); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestTheCommandEndsWithTheContext(t *testing.T) {
	cmd, err := Command([]string{"/bin/sh", "-c", `trap 'echo asked; exit 0' TERM; echo ready; sleep 300 & wait`})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("Ctrl-C")
	output := &watched{want: "ready", seen: func() { cancel(why) }}
	cmd.Stdout = output
	done := make(chan error, 1)
	go func() { done <- Run(ctx, cmd) }()
	select {
	case err := <-done:
		if !errors.Is(err, why) || !bytes.Contains(output.text, []byte("asked")) {
			t.Errorf("got %v, and it said %q; it must be asked to end first", err, output.text)
		}
	case <-time.After(60 * time.Second):
		t.Fatal("it does not end")
	}
}

// watched calls seen when the output has what is wanted. It is written to by one goroutine, and read after that has ended.
type watched struct {
	want string
	seen func()
	text []byte
}

func (w *watched) Write(data []byte) (int, error) {
	w.text = append(w.text, data...)
	if bytes.Contains(w.text, []byte(w.want)) {
		w.seen()
	}
	return len(data), nil
}

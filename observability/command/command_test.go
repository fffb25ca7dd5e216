package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

type greet struct {
	Name string `arg:""`
	Loud bool   `help:"Shout."`
}

func (g *greet) Run(ctx context.Context, out Output) error {
	if ctx.Value(key{}) != "kept" {
		return errors.New("the context got lost")
	}
	text := "hello " + g.Name
	if g.Loud {
		text = strings.ToUpper(text)
	}
	_, err := fmt.Fprintln(out.Out, text)
	return err
}

type key struct{}

func TestDispatch(t *testing.T) {
	for name, tc := range map[string]struct {
		args        []string
		environment string
		stdout      string
		code        int
	}{
		"the chosen command runs":                    {[]string{"greet", "Ada"}, "false", "hello Ada\n", 0},
		"the environment stands in for a flag":       {[]string{"greet", "Ada"}, "true", "HELLO ADA\n", 0},
		"a flag beats the environment":               {[]string{"greet", "Ada", "--loud=false"}, "true", "hello Ada\n", 0},
		"an unknown flag is wrong usage":             {[]string{"greet", "Ada", "--softly"}, "false", "", 2},
		"an unknown command is wrong usage":          {[]string{"insult"}, "false", "", 2},
		"help is no error, whatever else is missing": {[]string{"greet", "-h"}, "false", "Usage: polite greet", 0},
		"without arguments the help explains":        {nil, "false", "Usage: polite <command>", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("FAULTLINE_LOUD", tc.environment)
			var flags struct {
				Greet greet `cmd:""`
			}
			var stdout, stderr bytes.Buffer
			ctx := context.WithValue(t.Context(), key{}, "kept")
			err := Program{Name: "polite"}.Dispatch(ctx, &flags, tc.args, &stdout, &stderr)
			if code := exitCode(&stderr, "polite", err); code != tc.code {
				t.Errorf("exit code %d, want %d: %v", code, tc.code, err)
			}
			if !strings.HasPrefix(stdout.String(), tc.stdout) {
				t.Errorf("stdout %q, want %q", stdout.String(), tc.stdout)
			}
			if (stderr.Len() > 0) != (tc.code != 0) {
				t.Errorf("stderr %q with exit code %d", stderr.String(), tc.code)
			}
		})
	}
}

func TestAnErrorOfAChildThatWasRunForTheUserGivesItsCodeWithoutAWord(t *testing.T) {
	var stderr bytes.Buffer
	ended := exec.CommandContext(t.Context(), "sh", "-c", "exit 7").Run()
	if code := exitCode(&stderr, "stack", fmt.Errorf("so: %w", &ChildError{Code: 7, Err: ended})); code != 7 || stderr.Len() > 0 {
		t.Errorf("code %d, stderr %q; want 7 and nothing", code, stderr.String())
	}
	if code := exitCode(&stderr, "stack", fmt.Errorf("a helper of ours failed: %w", ended)); code != 1 || stderr.Len() == 0 {
		t.Errorf("a child of our own gives code %d, stderr %q; want 1 and what failed", code, stderr.String())
	}
}

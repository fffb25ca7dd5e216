// Package command is the command line of one program: its flags, its help, its signals and its exit codes.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes of every program.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// UsageError is a command line that cannot be understood.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() + " (-h explains the flags)" }

// Unwrap gives the parser's error.
func (e *UsageError) Unwrap() error { return e.Err }

// ChildError is the end of a command that was run in the user's place: its code becomes the program's own, and nothing
// is added to what the command has said itself.
type ChildError struct {
	Code int
	Err  error
}

func (e *ChildError) Error() string { return e.Err.Error() }

// Unwrap gives the error behind it.
func (e *ChildError) Unwrap() error { return e.Err }

// Run is what a program does. It returns when ctx ends or when it is done.
type Run func(ctx context.Context, args []string, stdout, stderr io.Writer) error

// Main runs the program until it is done or told to stop by SIGTERM or SIGINT, and returns its exit code. A second
// signal ends the program at once.
func Main(run Run) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return exitCode(os.Stderr, filepath.Base(os.Args[0]), run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func exitCode(stderr io.Writer, program string, err error) int {
	if err == nil {
		return exitOK
	}
	if child, ok := errors.AsType[*ChildError](err); ok {
		return child.Code
	}
	fmt.Fprintf(stderr, "%s: %v\n", program, err)
	if _, ok := errors.AsType[*UsageError](err); ok {
		return exitUsage
	}
	return exitFailure
}

// Program is what the help says about a program.
type Program struct {
	Name, Description string
	// Listen is the address that the program serves on by default: ${listen} in the flags' defaults.
	Listen string
	// Vars are further variables of the flags' texts.
	Vars map[string]string
}

// Output is where a command writes: what was asked for to Out, progress to Err.
type Output struct{ Out, Err io.Writer }

// Parse fills flags, a pointer to a struct with kong's tags, from args and from the environment (--pool-max is
// FAULTLINE_POOL_MAX). It returns false when help was asked for and shown, and a *UsageError for a bad command line.
func (p Program) Parse(flags any, args []string, stdout, stderr io.Writer) (bool, error) {
	chosen, err := p.parse(flags, args, stdout, stderr)
	return chosen != nil, err
}

// Dispatch is Parse for a program of several commands: it runs the chosen one. Its method Run may take the context, an
// Output and flags itself. Without arguments it shows the help.
func (p Program) Dispatch(ctx context.Context, flags any, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		args = []string{"--help"}
	}
	chosen, err := p.parse(flags, args, stdout, stderr)
	if err != nil || chosen == nil {
		return err
	}
	chosen.BindTo(ctx, (*context.Context)(nil))
	chosen.Bind(Output{stdout, stderr})
	return chosen.Run(flags)
}

// parse returns nil without an error when help was shown.
func (p Program) parse(flags any, args []string, stdout, stderr io.Writer) (*kong.Context, error) {
	helped := false
	vars := kong.Vars{"name": p.Name, "listen": p.Listen}.CloneWith(p.Vars)
	parser, err := kong.New(flags,
		kong.Name(p.Name), kong.Description(p.Description), kong.Writers(stdout, stderr), vars,
		kong.DefaultEnvars("FAULTLINE"), kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		// Kong goes on parsing after the help; its complaints about missing flags are then beside the point.
		kong.Exit(func(int) { helped = true }),
	)
	if err != nil {
		return nil, fmt.Errorf("flags of %s: %w", p.Name, err)
	}
	chosen, err := parser.Parse(args)
	switch {
	case helped:
		return nil, nil
	case err != nil:
		return nil, &UsageError{Err: err}
	default:
		return chosen, nil
	}
}

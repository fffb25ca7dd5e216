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
	fmt.Fprintf(stderr, "%s: %v\n", program, err)
	var usage *UsageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailure
}

// Program is what the help says about a program. Defaults of flags may use ${name} and ${listen}.
type Program struct {
	Name, Description string
	// Listen is the address that the program serves on by default.
	Listen string
}

// Parse fills flags, a pointer to a struct with kong's tags, from args and from the environment (--pool-max is
// FAULTLINE_POOL_MAX). It returns false when help was asked for and shown, and a *UsageError for a bad command line.
func (p Program) Parse(flags any, args []string, stdout, stderr io.Writer) (bool, error) {
	helped := false
	parser, err := kong.New(flags,
		kong.Name(p.Name), kong.Description(p.Description), kong.Writers(stdout, stderr),
		kong.Vars{"name": p.Name, "listen": p.Listen},
		kong.DefaultEnvars("FAULTLINE"),
		// Kong goes on parsing after the help; its complaints about missing flags are then beside the point.
		kong.Exit(func(int) { helped = true }),
	)
	if err != nil {
		return false, fmt.Errorf("flags of %s: %w", p.Name, err)
	}
	_, err = parser.Parse(args)
	if helped {
		return false, nil
	}
	if err != nil {
		return false, &UsageError{Err: err}
	}
	return true, nil
}

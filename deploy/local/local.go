package local

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/deploy/local/guard"
	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/deploy/local/postgres"
	"github.com/faultline-lab/faultline/deploy/local/process"
	"github.com/faultline-lab/faultline/deploy/local/runlock"
	"github.com/faultline-lab/faultline/deploy/local/stack"
	"github.com/faultline-lab/faultline/deploy/local/supervisor"
	"github.com/faultline-lab/faultline/observability/endpoints"
	"github.com/faultline-lab/faultline/observability/telemetry"
)

// stopBound is how long everything together may take to end in order; then it is killed.
const stopBound = 20 * time.Second

// Options say what to run and where.
type Options struct {
	Root  string    // the checkout; required
	Ports ports.Set // default: the contract's, as the environment changes them
	// Replicas overrides how many replicas a workload starts with.
	Replicas map[string]int
	// Sizes are those of the pools and of the load.
	Sizes stack.Sizes
	// CacheDir is where tools and packages are kept between runs; default: the user's cache folder.
	CacheDir string
	// Progress takes lines for people. Default: nowhere.
	Progress io.Writer
	// OnReady is called once, when everything is ready and stack.json is written.
	OnReady func(endpoints.Stack)
	// GuardCommand runs guard.Serve; default: .faultline/bin/stack guard.
	GuardCommand []string
	// LookPath finds Grafana on PATH. Default: exec.LookPath.
	LookPath func(string) (string, error)
	// Blind runs our programs, this one included, without telemetry, to measure what it costs. Nothing heals then.
	Blind bool
}

func (o *Options) defaults() (folders.Folders, error) {
	if o.Root == "" {
		return folders.Folders{}, errors.New("local: the root of the checkout is required")
	}
	paths, err := folders.In(o.Root)
	if err != nil {
		return paths, err
	}
	if o.Ports == nil {
		if o.Ports, err = ports.FromEnv(os.Environ()); err != nil {
			return paths, err
		}
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if len(o.GuardCommand) == 0 {
		o.GuardCommand = []string{filepath.Join(paths.Bin, "stack"), "guard"}
	}
	return paths, nil
}

// Mark is the environment setting by which the processes of one checkout's stack are told from all others.
func Mark(f folders.Folders) string { return "FAULTLINE_SUPERVISED_IN=" + f.Run }

// Run brings the stack up, keeps it running until ctx ends, and stops it in reverse order. It returns nil when ctx ended
// after everything was ready. A *runlock.HeldError says that a stack of this checkout runs already, a *ports.TakenError
// that something else has its ports.
func Run(ctx context.Context, opts Options) (err error) {
	paths, err := opts.defaults()
	if err != nil {
		return err
	}
	if err := stack.CheckBinaries(paths); err != nil {
		return err
	}
	if err := paths.Make(); err != nil {
		return err
	}
	lock, err := runlock.Acquire(ctx, paths.Lock, strings.Join(os.Args, " "))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	if swept := guard.Sweep(Mark(paths)); len(swept) > 0 {
		fmt.Fprintf(opts.Progress, "ended %d processes that an earlier stack left behind\n", len(swept))
	}
	dashboards, err := grafana(ctx, opts)
	if err != nil {
		return err
	}
	if err := needed(opts.Ports, dashboards).Check(ctx); err != nil {
		return err
	}
	if err := paths.Wipe(); err != nil {
		return err
	}
	definition, err := prepare(ctx, opts, paths)
	if err != nil {
		return err
	}
	definition.Tools.Grafana = dashboards
	return opts.runGuarded(ctx, lock, definition)
}

// needed are the ports that something will listen on.
func needed(set ports.Set, dashboards *stack.Grafana) ports.Set {
	if dashboards == nil {
		return set.Without(ports.Grafana) // a popular port: whoever has it may keep it
	}
	return set
}

// prepare finds or builds what is not ours. It leaves nothing behind.
func prepare(ctx context.Context, opts Options, paths folders.Folders) (stack.Config, error) {
	definition := stack.Config{Folders: paths, Ports: opts.Ports, Replicas: opts.Replicas, Sizes: opts.Sizes, Mark: Mark(paths), Blind: opts.Blind}
	var err error
	if definition.Tools, err = tools(ctx, opts); err != nil {
		return definition, err
	}
	installation, err := postgres.Find(ctx, postgres.FindOptions{CacheDir: opts.CacheDir, Progress: opts.Progress})
	if err != nil {
		return definition, err
	}
	dataDir, err := postgres.DataDirFor(filepath.Join(paths.State, "postgres"))
	if err != nil {
		return definition, err
	}
	definition.Database = postgres.Config{
		Installation: installation, DataDir: dataDir, Port: opts.Ports[ports.Postgres], Passwords: postgres.NewPasswords(),
	}
	return definition, postgres.Remove(dataDir) // of a run that was killed together with its guard
}

// runGuarded runs the stack beside a guard, which ends and removes what is left whatever happens to this process.
func (o Options) runGuarded(ctx context.Context, lock *runlock.Lock, definition stack.Config) (err error) {
	paths := definition.Folders
	warden, err := guard.Start(guard.Config{
		Command: o.GuardCommand, Lock: lock.File(), LogFile: paths.Log(folders.GuardLog), Mark: definition.Mark,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, warden.Close()) }()
	for _, path := range append(tokens(paths), paths.Stack, databaseFolder(definition)) {
		if err := warden.Remove(path); err != nil {
			return err
		}
	}
	launcher, err := process.NewLauncher(warden)
	if err != nil {
		return err
	}
	defer launcher.Close()
	file, err := os.OpenFile(paths.Log(folders.SupervisorLog), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	senses, err := telemetry.Start(ctx, sensesOf(definition, file))
	if err != nil {
		return err
	}
	return o.supervise(ctx, launcher, definition, senses)
}

// supervise makes the secrets of this run and the supervisor, and lets it work until ctx ends.
func (o Options) supervise(ctx context.Context, launcher *process.Launcher, definition stack.Config, senses *telemetry.Telemetry) error {
	paths := definition.Folders
	for _, file := range tokens(paths) {
		if err := os.WriteFile(file, []byte(newToken()+"\n"), 0o600); err != nil {
			return err
		}
	}
	parts, err := stack.Parts(definition)
	if err != nil {
		return err
	}
	board := newBoard(o.Progress)
	overseer, err := supervisor.New(supervisor.Config{
		Parts: parts, Starter: launcher, NewID: uuid.NewString, StateDir: paths.State, LogDir: paths.Logs,
		Progress: board.show, Log: senses.Logger(), Traces: senses.TracerProvider(), Metrics: senses.MeterProvider(),
	})
	if err != nil {
		return err
	}
	return o.serve(ctx, overseer, board, definition, senses)
}

// tokens are the files of the secrets that are made for one run.
func tokens(paths folders.Folders) []string {
	return []string{paths.ControlToken, paths.WebhookToken, paths.EdgeControlToken, paths.APIToken}
}

func newToken() string {
	token := make([]byte, 32)
	_, _ = rand.Read(token) // never fails: it ends the program instead
	return hex.EncodeToString(token)
}

// databaseFolder is what has to go with the database: its folder in the run's state, or the private one around it.
func databaseFolder(definition stack.Config) string {
	if strings.HasPrefix(definition.Database.DataDir, definition.Folders.State+string(filepath.Separator)) {
		return definition.Database.DataDir
	}
	return filepath.Dir(definition.Database.DataDir)
}

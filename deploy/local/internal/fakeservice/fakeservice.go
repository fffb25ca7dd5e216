// Package fakeservice is a tiny real service for the tests of this folder: a test binary that calls ServeIfChild in its
// TestMain can start itself again as one, so that the tests supervise real processes.
package fakeservice

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// setting in the environment turns a test binary into a fake service.
const setting = "FAULTLINE_FAKE_SERVICE=1"

// Options are what a fake service does.
type Options struct {
	Listen     string        // where it serves /readyz, /env and /exit?code=N; empty = nowhere
	ReadyAfter time.Duration // how long /readyz answers 503
	IgnoreTERM bool          // it does not end on SIGTERM
	Grandchild string        // a file for the pid of a child of its own, which ignores SIGTERM
	Say        string        // what it prints first
	ExitCode   int           // when not 0, it ends at once with this code
}

// Command returns the path, the arguments and the environment that start the running test binary as a fake service.
func Command(o Options) (path string, args, env []string, err error) {
	path, err = os.Executable()
	args = []string{
		"-listen=" + o.Listen, "-ready-after=" + o.ReadyAfter.String(), "-ignore-term=" + strconv.FormatBool(o.IgnoreTERM),
		"-grandchild=" + o.Grandchild, "-say=" + o.Say, "-exit-code=" + strconv.Itoa(o.ExitCode),
	}
	return path, args, []string{setting}, err
}

// ServeIfChild does not return when this process was started with Command.
func ServeIfChild() {
	if os.Getenv("FAULTLINE_FAKE_SERVICE") == "" {
		return
	}
	var o Options
	flag.StringVar(&o.Listen, "listen", "", "")
	flag.DurationVar(&o.ReadyAfter, "ready-after", 0, "")
	flag.BoolVar(&o.IgnoreTERM, "ignore-term", false, "")
	flag.StringVar(&o.Grandchild, "grandchild", "", "")
	flag.StringVar(&o.Say, "say", "", "")
	flag.IntVar(&o.ExitCode, "exit-code", 0, "")
	flag.Parse()
	if err := serve(o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(o.ExitCode)
}

func serve(o Options) error {
	if o.Say != "" {
		fmt.Println(o.Say)
	}
	if o.ExitCode != 0 {
		return nil
	}
	if o.Grandchild != "" {
		if err := startGrandchild(o.Grandchild); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	if o.IgnoreTERM {
		// Caught and dropped rather than ignored: a Go program in which nothing can happen any more ends itself.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM)
	} else {
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGTERM)
	}
	defer stop()
	if o.Listen == "" {
		<-ctx.Done()
		return nil
	}
	server := &http.Server{Addr: o.Listen, Handler: routes(o), ReadHeaderTimeout: time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	fmt.Println("ended in order")
	return nil
}

func routes(o Options) http.Handler {
	readyAt := time.Now().Add(o.ReadyAfter)
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if time.Now().Before(readyAt) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, os.Environ()) })
	mux.HandleFunc("/exit", func(_ http.ResponseWriter, r *http.Request) {
		code, err := strconv.Atoi(r.URL.Query().Get("code"))
		if err != nil {
			code = 1
		}
		os.Exit(code)
	})
	return mux
}

// startGrandchild leads a group of its own, as Postgres' backends do: a signal to its parent's group does not reach it.
func startGrandchild(file string) error {
	path, args, _, err := Command(Options{IgnoreTERM: true})
	if err != nil {
		return err
	}
	cmd := exec.Command(path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(strconv.Itoa(cmd.Process.Pid)), 0o600)
}

package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/runas"
	"github.com/faultline-lab/faultline/deploy/toolchain/cache"
)

// startAttempts bounds how often another port is tried when somebody else took the one that was free.
const startAttempts = 5

// startWithin bounds the start of a server, on a machine that is busy with compiling.
const startWithin = 60 * time.Second

// Options of a temporary server, all optional.
type Options struct {
	Find FindOptions
	// MaxConnections defaults to TestConnections.
	MaxConnections int
}

// Server is a temporary server on a port of its own.
type Server struct {
	// URL is the superuser's, for the database postgres.
	URL string
	// LogFile is the server's log; it goes with the server.
	LogFile string

	process *process
	folder  *folder
	once    sync.Once
	err     error
}

// Standalone starts a server with an empty database, for tests. It has gone, with all its files, after Close; when
// this process is killed the server ends (on Linux), and the next Standalone removes the files.
func Standalone(ctx context.Context, opts Options) (*Server, error) {
	installation, err := Find(ctx, opts.Find)
	if err != nil {
		return nil, err
	}
	folder, err := newFolder()
	if err != nil {
		return nil, err
	}
	server, err := startIn(ctx, folder, Config{
		Installation:   installation,
		DataDir:        filepath.Join(folder.path, "data"),
		Port:           1, // for Init only; startOn takes a free one
		Passwords:      NewPasswords(),
		MaxConnections: cmp.Or(opts.MaxConnections, TestConnections),
	})
	if err != nil {
		return nil, errors.Join(err, folder.remove())
	}
	return server, nil
}

func startIn(ctx context.Context, folder *folder, cfg Config) (*Server, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startWithin, errors.New("it took more than a minute"))
	defer cancel()
	if err := Init(ctx, cfg); err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		server, err := startOn(ctx, folder, cfg)
		if err == nil || attempt == startAttempts || !errors.Is(err, errPortTaken) {
			return server, err
		}
	}
}

// errPortTaken says that somebody took the free port before the server could.
var errPortTaken = errors.New("the port was taken")

// startOn starts the server on a free port and waits until it answers or has gone.
func startOn(ctx context.Context, folder *folder, cfg Config) (*Server, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	cfg.Port = port
	spec, err := Command(cfg)
	if err != nil {
		return nil, err
	}
	logFile := filepath.Join(folder.path, "server.log")
	log, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	process, err := startProcess(spec, log)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	url := URL(cfg, Superuser, "postgres")
	if err := readyOrGone(ctx, url, process); err != nil {
		process.stop()
		return nil, explain(err, logFile)
	}
	return &Server{URL: url, LogFile: logFile, process: process, folder: folder}, nil
}

// readyOrGone waits until the server answers, and no longer than it lives.
func readyOrGone(ctx context.Context, url string, process *process) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-process.exited:
			cancel(errors.New("it ended"))
		case <-ctx.Done():
		}
	}()
	return WaitReady(ctx, url)
}

// explain adds the end of the server's log to the error.
func explain(err error, logFile string) error {
	said, readErr := os.ReadFile(logFile)
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	err = fmt.Errorf("%w\nits log:\n%s", err, lastLines(string(said), 8))
	if strings.Contains(string(said), "Address already in use") {
		return errors.Join(errPortTaken, err)
	}
	return err
}

// freePort asks the system for a port that nobody listens on.
func freePort(ctx context.Context) (int, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// Close stops the server and removes its files. It may be called more than once.
func (s *Server) Close() error {
	s.once.Do(func() {
		s.process.stop()
		s.err = s.folder.remove()
	})
	return s.err
}

// folderPrefix begins the names of temporary servers' folders.
const folderPrefix = "faultline-postgres-"

// folder holds all files of one temporary server; its lock is held as long as its maker lives.
type folder struct {
	path string
	lock *cache.Lock
}

// newFolder makes one, and removes those whose makers were killed.
func newFolder() (*folder, error) {
	user, err := runas.Unprivileged()
	if err != nil {
		return nil, err
	}
	temp, err := temporary(user)
	if err != nil {
		return nil, err
	}
	sweep(temp)
	path, err := os.MkdirTemp(temp, folderPrefix)
	if err != nil {
		return nil, err
	}
	lock, err := cache.TryAcquire(filepath.Join(path, "lock"), "its maker")
	if err == nil {
		// The unprivileged user has to pass through to the data folder, which is its own.
		err = os.Chmod(path, 0o711)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	return &folder{path: path, lock: lock}, nil
}

func (f *folder) remove() error {
	return errors.Join(os.RemoveAll(f.path), f.lock.Release())
}

// sweep removes the folders of ours that nobody holds. What cannot be removed is left to the next sweep.
func sweep(temp string) {
	paths, _ := filepath.Glob(filepath.Join(temp, folderPrefix+"*")) // the only error is a malformed pattern
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() || ownerOf(info) != uint32(os.Geteuid()) {
			continue
		}
		if _, err := os.Stat(filepath.Join(path, "lock")); err != nil {
			continue // being made at this moment
		}
		lock, err := cache.TryAcquire(filepath.Join(path, "lock"), "a sweep")
		if err != nil {
			continue
		}
		_ = (&folder{path: path, lock: lock}).remove()
	}
}

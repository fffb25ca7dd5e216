package postgrescontainer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/testcontainers/testcontainers-go"

	"github.com/faultline-lab/faultline/deploy/airgap/docker"
	"github.com/faultline-lab/faultline/deploy/beside"
	"github.com/faultline-lab/faultline/deploy/local/postgres"
)

const (
	// startWithin bounds the start of a server, on a machine that is busy with compiling.
	startWithin = 60 * time.Second
	// closeWithin bounds its end.
	closeWithin = 30 * time.Second
	// stopWithin is how long the server may take for its fast shutdown before it is killed.
	stopWithin = 5 * time.Second
)

// Options of a temporary server. Image is required.
type Options struct {
	// Image is PostgreSQL 18 or later, official or with the same manners: POSTGRES_PASSWORD, POSTGRES_INITDB_ARGS, and
	// arguments that begin with - are the server's.
	Image string
	// MaxConnections defaults to postgres.TestConnections.
	MaxConnections int
	// Progress shows that an image is being pulled. Default: nowhere.
	Progress io.Writer
}

// Server is a temporary server in a container, on a port of this machine.
type Server struct {
	// URL is the superuser's, for the database postgres.
	URL string

	container *testcontainers.DockerContainer
	folder    *beside.Folder
	once      sync.Once
	err       error
}

// Start starts a server with an empty database. It has gone, with its container and volumes, after Close; when this
// process is killed, testcontainers' own reaper removes it where the engine has its image, else the next Start does.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if opts.Image == "" {
		return nil, errors.New("postgrescontainer: no image given")
	}
	engine, err := prepare(ctx, opts)
	if err != nil {
		return nil, err
	}
	folder, err := beside.NewFolder(folderPrefix)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startWithin, errors.New("it took more than a minute"))
	defer cancel()
	server := &Server{folder: folder}
	if err := server.start(ctx, engine, opts); err != nil {
		return nil, errors.Join(err, server.Close())
	}
	return server, nil
}

func (s *Server) start(ctx context.Context, engine docker.Engine, opts Options) error {
	if err := engine.RemoveOrphans(ctx, makerLabel); err != nil {
		return err
	}
	here, err := isHere(ctx, engine)
	if err != nil {
		return err
	}
	password := postgres.NewPasswords().Superuser
	s.container, err = testcontainers.Run(ctx, opts.Image, request(opts, password, s.folder.Path, here)...)
	if err != nil {
		return fmt.Errorf("start a container of %s: %w", opts.Image, s.explain(ctx, err))
	}
	if s.URL, err = s.address(ctx, password, here); err != nil {
		return fmt.Errorf("find the port of the container: %w", err)
	}
	if err := s.readyOrGone(ctx); err != nil {
		return fmt.Errorf("container of %s: %w", opts.Image, s.explain(ctx, err))
	}
	return nil
}

// address is the superuser's URL.
func (s *Server) address(ctx context.Context, password string, here bool) (string, error) {
	host := loopback
	if !here {
		var err error
		if host, err = s.container.Host(ctx); err != nil {
			return "", err
		}
	}
	port, err := s.container.MappedPort(ctx, serverPort)
	if err != nil {
		return "", err
	}
	return (&url.URL{
		Scheme: "postgres", User: url.UserPassword(postgres.Superuser, password),
		Host: net.JoinHostPort(host, port.Port()), Path: "/postgres", RawQuery: "sslmode=disable",
	}).String(), nil
}

// readyOrGone waits until the server answers, and no longer than its container lives.
func (s *Server) readyOrGone(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		for {
			state, err := s.container.State(ctx)
			if err == nil && !state.Running {
				cancel(fmt.Errorf("it ended with exit code %d", state.ExitCode))
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
	return postgres.WaitReady(ctx, s.URL)
}

// explain adds the end of the container's log to an error, where there is one.
func (s *Server) explain(ctx context.Context, err error) error {
	if s.container == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	logs, logsErr := s.container.Logs(ctx)
	if logsErr != nil {
		return err
	}
	defer logs.Close()
	said, _ := io.ReadAll(logs) // what could be read is better than nothing
	return fmt.Errorf("%w\nits log:\n%s", err, lastLines(string(said), 8))
}

// Close stops the server and removes all of it. It may be called more than once.
func (s *Server) Close() error {
	s.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
		defer cancel()
		// The folder says that the container has a maker: it goes last.
		s.err = errors.Join(s.terminate(ctx), s.folder.Remove())
	})
	return s.err
}

func (s *Server) terminate(ctx context.Context) error {
	if s.container == nil {
		return nil
	}
	if err := s.container.Terminate(ctx, testcontainers.StopTimeout(stopWithin)); err != nil {
		return fmt.Errorf("the container is left; remove it with `docker rm -f -v %s`: %w", s.container.GetContainerID(), err)
	}
	return nil
}

// lastLines is the end of what a server said.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

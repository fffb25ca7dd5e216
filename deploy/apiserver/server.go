package apiserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/faultline-lab/faultline/deploy/beside"
)

const (
	// startAttempts bounds how often another port is tried when somebody else took the one that was free.
	startAttempts = 5
	// startWithin bounds the start, on a machine that is busy with compiling.
	startWithin = 2 * time.Minute
)

// portTaken is what the API server says when somebody took the free port before it could.
const portTaken = "address already in use"

// folderPrefix begins the names of throwaway servers' folders.
const folderPrefix = "faultline-apiserver-"

// Options of a throwaway API server, all optional.
type Options struct {
	// ToolsDir holds the programs; FAULTLINE_TOOLS_DIR by default. What is not there is found or built by the toolchain.
	ToolsDir string
	// CacheDir is the toolchain's.
	CacheDir string
	// Progress shows what is being built or waited for. Default: nowhere.
	Progress io.Writer
}

// Server is a throwaway API server on a port of its own.
type Server struct {
	// Kubeconfig is a file with the rights of an administrator; it goes with the server.
	Kubeconfig string

	folder  *beside.Folder
	servers []*beside.Server
	once    sync.Once
	err     error
}

// Standalone starts an API server with nothing in it, and returns when its controllers work. It has gone, with all its
// files, after Close; when this process is killed it ends too (on Linux), and the next one removes the files.
func Standalone(ctx context.Context, opts Options) (*Server, error) {
	progress := opts.Progress
	if progress == nil {
		progress = io.Discard
	}
	programs, err := find(ctx, opts)
	if err != nil {
		return nil, err
	}
	started := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, startWithin, fmt.Errorf("it took more than %s", startWithin))
	defer cancel()
	for attempt := 1; ; attempt++ {
		server, err := start(ctx, programs)
		if err == nil {
			fmt.Fprintf(progress, "Kubernetes API server ready after %.1f s\n", time.Since(started).Seconds())
			return server, nil
		}
		if attempt == startAttempts || ctx.Err() != nil || !strings.Contains(err.Error(), portTaken) {
			return nil, fmt.Errorf("the Kubernetes API server did not start: %w", err)
		}
	}
}

func start(ctx context.Context, programs programs) (_ *Server, err error) {
	folder, err := beside.NewFolder(folderPrefix)
	if err != nil {
		return nil, err
	}
	server := &Server{folder: folder, Kubeconfig: filepath.Join(folder.Path, "kubeconfig")}
	defer func() {
		if err != nil {
			err = errors.Join(err, server.Close())
		}
	}()
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	if err := writeFiles(folder.Path, "https://127.0.0.1:"+strconv.Itoa(port)); err != nil {
		return nil, err
	}
	for _, p := range []struct {
		name, path string
		args       []string
	}{
		{"etcd", programs.etcd, etcdArgs()},
		{"kube-apiserver", programs.apiserver, apiserverArgs(port)},
	} {
		if err := server.run(p.name, p.path, p.args); err != nil {
			return nil, err
		}
	}
	if err := server.await(ctx, answers); err != nil {
		return nil, err
	}
	if err := server.run("kube-controller-manager", programs.controllers, controllersArgs()); err != nil {
		return nil, err
	}
	return server, server.await(ctx, controllersWork)
}

func (s *Server) run(name, path string, args []string) error {
	server, err := beside.Start(s.folder.Path, name, path, args...)
	if err != nil {
		return err
	}
	s.servers = append(s.servers, server)
	return nil
}

// await asks until the answer is yes, and no longer than all servers live.
func (s *Server) await(ctx context.Context, ready func(ctx context.Context, kubeconfig string) error) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := ready(ctx, s.Kubeconfig)
		if err == nil {
			return nil
		}
		for _, server := range s.servers {
			select {
			case <-server.Exited():
				return server.Explain(errors.New("it ended"))
			default:
			}
		}
		select {
		case <-ctx.Done():
			return s.servers[len(s.servers)-1].Explain(fmt.Errorf("%w: %w", context.Cause(ctx), err))
		case <-ticker.C:
		}
	}
}

// Close ends everything and removes the files. It may be called more than once.
func (s *Server) Close() error {
	s.once.Do(func() {
		for i := len(s.servers) - 1; i >= 0; i-- {
			s.servers[i].Kill()
		}
		s.err = s.folder.Remove()
	})
	return s.err
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

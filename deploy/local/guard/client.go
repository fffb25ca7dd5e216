package guard

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/hostproc"
)

// Config is what a Client needs.
type Config struct {
	// Command runs Serve on its standard input: the stack binary and "guard".
	Command []string
	// Lock stays open in the guard too, so that the lock is free only when everything is gone.
	Lock    *os.File
	LogFile string
	// Mark is an environment setting ("NAME=value") that every child carries.
	Mark string
}

// Client is the supervisor's end of the pipe. It keeps a guard running: one that was killed is replaced and told
// everything again.
type Client struct {
	cfg Config

	mu      sync.Mutex
	charge  charge
	pipe    io.WriteCloser
	ended   chan error // receives the end of the present guard
	closing bool
}

// Start starts a guard in a session of its own, where no Ctrl-C and no hang-up reaches it.
func Start(cfg Config) (*Client, error) {
	if len(cfg.Command) == 0 || cfg.Lock == nil || cfg.LogFile == "" || cfg.Mark == "" {
		return nil, errors.New("guard: a config needs command, lock, log file and mark")
	}
	c := &Client{cfg: cfg, charge: charge{signals: map[hostproc.ID]syscall.Signal{}, mark: cfg.Mark}}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c, c.launch()
}

// launch starts a guard and tells it everything. The caller holds the mutex.
func (c *Client) launch() error {
	log, err := os.OpenFile(c.cfg.LogFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("the guard's log: %w", err)
	}
	defer func() { _ = log.Close() }() // the guard has its own copy
	cmd := exec.Command(c.cfg.Command[0], c.cfg.Command[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, []*os.File{c.cfg.Lock}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("the guard: %w", err)
	}
	ended := make(chan error, 1)
	c.pipe, c.ended = pipe, ended
	began := time.Now()
	go func() {
		err := cmd.Wait()
		if time.Since(began) < time.Second && !c.isClosing() {
			time.Sleep(time.Second) // one that cannot live is not to be started without end
		}
		c.replace(ended)
		ended <- err
	}()
	return c.retell()
}

func (c *Client) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// replace starts another guard when the one that ended was still needed.
func (c *Client) replace(ended chan error) {
	for c.launchInstead(ended) != nil {
		// Without a guard the stack still runs and stops in order; only SIGKILL would then leave something behind.
		time.Sleep(time.Second)
	}
}

func (c *Client) launchInstead(ended chan error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.ended != ended {
		return nil
	}
	return c.launch()
}

func (c *Client) retell() error {
	if err := c.send(message{Op: opMark, Mark: c.charge.mark}); err != nil {
		return err
	}
	for _, path := range c.charge.paths {
		if err := c.send(message{Op: opRemove, Path: path}); err != nil {
			return err
		}
	}
	for id, death := range c.charge.signals {
		if err := c.send(message{Op: opStarted, ID: id, Signal: death}); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) send(m message) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = c.pipe.Write(append(line, '\n'))
	return err
}

// tell keeps the message and passes it on. A guard that has just died is not an error: the next one is told again.
func (c *Client) tell(m message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return errors.New("guard: it is closed: nothing more may be started")
	}
	c.charge.take(m)
	if err := c.send(m); err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("guard: %w", err)
	}
	return nil
}

// Started says that this process, the leader of its group, has started, and which signal ends it best when the
// supervisor is gone.
func (c *Client) Started(id hostproc.ID, death syscall.Signal) error {
	return c.tell(message{Op: opStarted, ID: id, Signal: death})
}

// Ended says that this process and its group are gone.
func (c *Client) Ended(id hostproc.ID) {
	_ = c.tell(message{Op: opEnded, ID: id}) // a guard that looks for one too many finds that it is gone
}

// Remove has a file or folder removed when everything has ended.
func (c *Client) Remove(path string) error { return c.tell(message{Op: opRemove, Path: path}) }

// Close lets the guard end whatever still runs and remove what it was told to, and waits for it.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closing = true
	pipe, ended := c.pipe, c.ended
	c.mu.Unlock()
	_ = pipe.Close() // closed already when the guard has died
	if err := <-ended; err != nil {
		return fmt.Errorf("the guard could not clean up (%w): see %s", err, c.cfg.LogFile)
	}
	return nil
}

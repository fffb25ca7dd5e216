package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// A log that has grown beyond the first figure is cut down to its last lines, about as much as the second: a stack that
// stays up for a week must not fill the disk.
const (
	logLimit = 64 << 20
	logKept  = 4 << 20
)

// logPause is the time between two looks at the logs' sizes.
const logPause = 30 * time.Second

// keepLogsSmall looks at the logs now and then until ctx ends.
func (s *Supervisor) keepLogsSmall(ctx context.Context) {
	ticker := time.NewTicker(logPause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			for _, p := range s.Processes() {
				if err := trim(p.Log, logLimit, logKept); err != nil && !errors.Is(err, os.ErrNotExist) {
					s.cfg.Log.WarnContext(ctx, "log cannot be cut", "process", p.Name, "error", err.Error())
				}
			}
		}
	}
}

// trim cuts a file that is larger than limit down to its last lines, at most kept bytes. Its writer has it open for
// appending and goes on at the new end; what it writes in the moment of cutting can be lost.
func trim(path string, limit, kept int64) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() <= limit {
		return err
	}
	text, err := tail(path, kept)
	if err != nil {
		return err
	}
	if _, lines, found := strings.Cut(text, "\n"); found {
		text = lines // the first one is half a line
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, "(earlier lines were cut off)\n"+text)
	return errors.Join(err, file.Close())
}

// shownLines is how much of a log an error shows.
const shownLines = 15

// lastLines returns the end of a log file, indented, with where it comes from.
func lastLines(path string) string {
	text, err := tail(path, 16<<10)
	if err != nil {
		return fmt.Sprintf("  (its log cannot be read: %v)", err)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > shownLines {
		lines = lines[len(lines)-shownLines:]
	}
	if len(lines) == 1 && lines[0] == "" {
		return fmt.Sprintf("  (it wrote nothing to %s)", path)
	}
	return fmt.Sprintf("  the end of %s:\n    %s", path, strings.Join(lines, "\n    "))
}

// tail returns at most the last size bytes of a file.
func tail(path string, size int64) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	if _, err := file.Seek(max(0, info.Size()-size), io.SeekStart); err != nil {
		return "", err
	}
	data, err := io.ReadAll(file)
	return string(data), err
}

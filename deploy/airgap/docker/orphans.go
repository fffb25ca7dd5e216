package docker

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Maker is the value of a label that says who made a container: this machine, and a folder that is there as long as the
// maker.
func Maker(folder string) string { return Hostname() + " " + folder }

// Hostname is this machine's name; empty when it has none.
func Hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}

// orphaned says whether the label tells of a maker on this machine that has gone.
func orphaned(maker string) bool {
	host, folder, _ := strings.Cut(maker, " ")
	if host != Hostname() || !filepath.IsAbs(folder) {
		return false
	}
	_, err := os.Stat(folder)
	return errors.Is(err, fs.ErrNotExist)
}

// RemoveOrphans removes the containers with the label whose makers, of this machine, are gone. What cannot be removed is
// left to the next call; another process may be removing it at this moment.
func (e Engine) RemoveOrphans(ctx context.Context, label string) error {
	listed, err := e.Output(ctx, "ps", "--all", "--no-trunc", "--filter=label="+label, `--format={{.ID}} {{.Label "`+label+`"}}`)
	if err != nil {
		return err
	}
	for line := range strings.Lines(listed) {
		if id, maker, _ := strings.Cut(strings.TrimSpace(line), " "); orphaned(maker) {
			_, _ = e.Output(ctx, "rm", "--force", "--volumes", id)
		}
	}
	return nil
}

// RemoveContainer removes a container with its volumes. It may be gone already.
func (e Engine) RemoveContainer(ctx context.Context, name string) error {
	_, err := e.Output(ctx, "rm", "--force", "--volumes", name)
	if err != nil && strings.Contains(err.Error(), "No such container") {
		return nil
	}
	return err
}

package ward

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Modes lists the modes that the edge has gone to since a moment, by its own log, oldest first. Its own end of a mode whose time
// to live was over is among them.
func (w *Ward) Modes(t *testing.T, since time.Time) []string {
	t.Helper()
	file, err := os.Open(filepath.Join(w.Root, ".faultline", "logs", "storefront-1.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var modes []string
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Time   time.Time `json:"time"`
			Msg    string    `json:"msg"`
			Mode   string    `json:"mode"`
			Before string    `json:"mode_before"`
		}
		// A line that is no record is the runtime's own, and of no interest here.
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Before != "" && line.Mode != line.Before && line.Time.After(since) {
			modes = append(modes, line.Mode)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return modes
}

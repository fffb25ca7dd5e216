package engine

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// watches are what systemd, kubelet and containerd of a node need; the kernel's default of 128 instances is too few.
var watches = map[string]int{"max_user_instances": 1024, "max_user_watches": 524288}

// inotify raises the kernel's limits where they are lower, until the next start of the machine.
func (s *setup) inotify() error {
	for name, enough := range watches {
		path := s.at("proc/sys/fs/inotify/" + name)
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		had, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if had >= enough {
			continue
		}
		setting := "fs.inotify." + name
		if err := s.mustBeRoot(fmt.Sprintf("to set %s to %d", setting, enough)); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(strconv.Itoa(enough)), 0o644); err != nil {
			return fmt.Errorf("setting %s to %d: %w", setting, enough, err)
		}
		s.changed(fmt.Sprintf("set %s to %d", setting, enough), fmt.Sprintf("sysctl -w %s=%d", setting, had))
	}
	return nil
}

// Package cache is the user's cache folder: where it is, and how two processes that want to fill the same place in it
// take turns.
package cache

import (
	"fmt"
	"os"
	"path/filepath"
)

// Variable names another folder than the default.
const Variable = "FAULTLINE_CACHE_DIR"

// Dir is the cache folder as an absolute path: explicit when given, else what the environment says, else faultline in
// the user's cache folder. It makes nothing.
func Dir(explicit string) (string, error) {
	for _, dir := range []string{explicit, os.Getenv(Variable)} {
		if dir != "" {
			return filepath.Abs(dir)
		}
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place for a cache: set HOME or %s: %w", Variable, err)
	}
	return filepath.Join(user, "faultline"), nil
}

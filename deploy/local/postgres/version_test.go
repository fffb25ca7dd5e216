package postgres

import "testing"

func TestParseVersion(t *testing.T) {
	for name, test := range map[string]struct {
		output string
		major  int
		text   string
	}{
		"a release":                     {"postgres (PostgreSQL) 18.4\n", 18, "18.4"},
		"a distribution's suffix":       {"postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n", 15, "15.14"},
		"a beta":                        {"postgres (PostgreSQL) 17beta1\n", 17, "17beta1"},
		"a development version":         {"postgres (PostgreSQL) 19devel\n", 19, "19devel"},
		"an old three-part version":     {"postgres (PostgreSQL) 9.6.24\n", 9, "9.6.24"},
		"another program is no version": {"psql (PostgreSQL) 18.4\n", 0, ""},
		"silence is no version":         {"", 0, ""},
		"a fork is not taken for it":    {"postgres (EnterpriseDB) 16.1\n", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseVersion(test.output)
			if (err != nil) != (test.major == 0) {
				t.Fatalf("error %v", err)
			}
			if got.Major != test.major || got.String() != test.text {
				t.Errorf("got %d %q, want %d %q", got.Major, got, test.major, test.text)
			}
		})
	}
}

func TestNewerInstallationsAreTriedFirst(t *testing.T) {
	for name, test := range map[string]struct {
		dir  string
		want int
	}{
		"Debian":               {"/usr/lib/postgresql/17/bin", 17},
		"Homebrew":             {"/opt/homebrew/opt/postgresql@16/bin", 16},
		"no number in the way": {"/usr/local/pgsql/bin", 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := majorIn(test.dir); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

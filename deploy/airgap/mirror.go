package airgap

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// MirrorVariable names a Debian mirror other than the one that this machine uses.
const MirrorVariable = "FAULTLINE_DEBIAN_MIRROR"

// debian is where packages come from.
type debian struct{ mirror, security string }

// official is for machines of other distributions.
var official = debian{mirror: "http://deb.debian.org/debian", security: "http://deb.debian.org/debian-security"}

// source is one place in apt's configuration.
type source struct {
	uri    string
	suites []string
}

// findDebian takes the mirror that was asked for, else the one that apt on this machine uses, else the official one. It
// refuses one with credentials: they would stay in the image.
func findDebian(explicit, aptDir string) (debian, error) {
	found := fromApt(aptDir)
	if asked := strings.TrimRight(cmp.Or(explicit, os.Getenv(MirrorVariable)), "/"); asked != "" {
		found = debian{mirror: asked, security: asked + "-security"}
	}
	for _, uri := range []string{found.mirror, found.security} {
		if parsed, err := url.Parse(uri); err != nil || parsed.User != nil {
			return debian{}, fmt.Errorf("the address of the Debian mirror has a user or a password in it (or is none), which would "+
				"stay in the image for all to read: set %s to a mirror that asks for neither", MirrorVariable)
		}
	}
	return found, nil
}

// fromApt is the mirror that apt on this machine uses. What not everybody may read has credentials, and is left out.
func fromApt(aptDir string) debian {
	var sources []source
	for _, pattern := range []string{"sources.list", "sources.list.d/*.list", "sources.list.d/*.sources"} {
		matches, _ := filepath.Glob(filepath.Join(aptDir, pattern)) // the only error is a malformed pattern
		for _, file := range matches {
			if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o004 == 0 {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			if strings.HasSuffix(file, ".sources") {
				sources = append(sources, parseStanzas(string(text))...)
			} else {
				sources = append(sources, parseLines(string(text))...)
			}
		}
	}
	return choose(sources)
}

// choose finds Debian itself among the sources: third parties' have other paths.
func choose(sources []source) debian {
	found := debian{mirror: withPath(sources, "/debian"), security: withPath(sources, "/debian-security")}
	switch {
	case found.mirror == "":
		return official
	case found.security == "":
		found.security = found.mirror + "-security"
	}
	return found
}

// withPath prefers the source that has the suite we build: a mirror of snapshots may have another address for each.
func withPath(sources []source, path string) string {
	first := ""
	for _, source := range sources {
		if !strings.HasSuffix(source.uri, path) {
			continue
		}
		for _, name := range source.suites {
			if name == suite || strings.HasPrefix(name, suite+"-") || strings.HasPrefix(name, suite+"/") {
				return source.uri
			}
		}
		first = cmp.Or(first, source.uri)
	}
	return first
}

// line is a source in one line: deb [options] URI suite component...
var line = regexp.MustCompile(`^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)`)

func parseLines(text string) []source {
	var sources []source
	for one := range strings.Lines(text) {
		if match := line.FindStringSubmatch(strings.TrimSpace(one)); match != nil {
			sources = append(sources, source{uri: strings.TrimRight(match[1], "/"), suites: []string{match[2]}})
		}
	}
	return sources
}

// parseStanzas reads the newer format: fields of a name and a value, a stanza for each source.
func parseStanzas(text string) []source {
	var sources []source
	for stanza := range strings.SplitSeq(strings.ReplaceAll(text, "\r", ""), "\n\n") {
		fields := map[string][]string{}
		for one := range strings.Lines(stanza) {
			name, value, found := strings.Cut(one, ":")
			if found && !strings.HasPrefix(one, "#") {
				fields[strings.ToLower(name)] = strings.Fields(value)
			}
		}
		if strings.Join(fields["enabled"], "") == "no" {
			continue
		}
		for _, uri := range fields["uris"] {
			sources = append(sources, source{uri: strings.TrimRight(uri, "/"), suites: fields["suites"]})
		}
	}
	return sources
}

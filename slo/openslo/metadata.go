package openslo

import (
	"regexp"
	"strings"

	"github.com/faultline-lab/faultline/observability/strictyaml"
)

var (
	dnsLabel      = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	labelKey      = regexp.MustCompile(`^[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$`)
	annotationKey = regexp.MustCompile(`^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*/)?[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$`)
)

// longestDescription is OpenSLO's.
const longestDescription = 1050

func (r *reader) metadata(d strictyaml.Document, path string, m metadata) {
	r.need(d, m.Name != "", path+".name", "metadata.name is missing")
	r.need(d, m.Name == "" || dnsLabel.MatchString(m.Name), path+".name",
		"metadata.name is %q: use up to 63 lower case letters, digits and dashes, beginning and ending with a letter or digit", m.Name)
	for key := range m.Labels {
		r.need(d, labelKey.MatchString(key), path+".labels"+strictyaml.Key(key),
			"label %q: use up to 63 letters, digits, dashes, dots and underscores", key)
	}
	for key := range m.Annotations {
		r.need(d, annotationKey.MatchString(key), path+".annotations"+strictyaml.Key(key),
			"annotation %q: use a name of up to 63 letters, digits, dashes, dots and underscores, if you like after a domain and a slash", key)
	}
}

func (r *reader) description(d strictyaml.Document, path, text string) {
	r.need(d, len([]rune(text)) <= longestDescription, path, "the description has %d characters; %d are allowed", len([]rune(text)), longestDescription)
}

// flat are the labels of an object; several values are joined by commas.
func (m metadata) flat() map[string]string {
	labels := map[string]string{}
	for key, several := range m.Labels {
		labels[key] = strings.Join(several, ",")
	}
	return labels
}

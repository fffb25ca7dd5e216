package report

import "regexp"

// secrets are the shapes in which a credential could get into a record, a log line or an error text. A report is made
// to be shared, so the last thing that happens to it is this.
var secrets = []struct {
	shape *regexp.Regexp
	with  string
}{
	{regexp.MustCompile(`(?i)\b(postgres(?:ql)?)://[^\s"'<>|]+`), "$1://REDACTED"},
	{regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@"'<>]+@`), "${1}REDACTED@"},
	{regexp.MustCompile(`(?i)\b([a-z_]*(?:password|passwd|pwd|secret|token|api_?key))(\\?["']?\s*[=:]\s*)("[^"]*"|'[^']*'|\\"[^"]*\\"|[^\s,;&)}"'` + "`" + `]+)`), "${1}${2}REDACTED"},
	{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}`), "$1 REDACTED"},
}

func redact(text string) string {
	for _, secret := range secrets {
		text = secret.shape.ReplaceAllString(text, secret.with)
	}
	return text
}

package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// number writes a figure the way a person would: whole numbers whole with thousands apart, others to four digits.
func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "unknown"
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		return thousands(strconv.FormatInt(int64(v), 10))
	default:
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
}

func thousands(digits string) string {
	sign, digits := cutSign(digits)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

func cutSign(digits string) (sign, rest string) {
	if rest, ok := strings.CutPrefix(digits, "-"); ok {
		return "-", rest
	}
	return "", digits
}

// quantity writes a value with its unit: a UCUM unit, 1 for a plain number, or {thing} for things counted.
func quantity(v float64, unit string) string {
	thing, counted := strings.CutPrefix(unit, "{")
	switch {
	case unit == "" || unit == "1":
		return number(v)
	case !counted:
		return number(v) + " " + unit
	}
	thing = strings.TrimSuffix(thing, "}")
	if v != 1 && !strings.HasSuffix(thing, "s") {
		thing += "s"
	}
	return number(v) + " " + thing
}

// percent writes a share; tiny shares keep two digits, so that little never reads as nothing.
func percent(share float64) string {
	p := 100 * share
	if p != 0 && math.Abs(p) < 0.1 {
		return strconv.FormatFloat(p, 'g', 2, 64) + " %"
	}
	return strconv.FormatFloat(p, 'f', 1, 64) + " %"
}

// took writes a duration in seconds to a tenth (a hundredth below one second), from two minutes on in minutes, from
// two hours on in hours.
func took(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + took(-d)
	case d < time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	}
}

// clock is the time of day in UTC to the millisecond.
func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }

// date is the day and the time of day, in UTC.
func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// relative is the time since the first alert, with its sign.
func relative(t, zero time.Time) string {
	return fmt.Sprintf("%+.1f s", t.Sub(zero).Seconds())
}

// inline makes foreign text safe within a line of Markdown or a cell of a table: one line, no markup of its own.
func inline(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "`", "'", "*", `\*`, "[", `\[`).Replace(text)
}

// code makes foreign text a code span that also holds within a table.
func code(text string) string {
	text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
	if text == "" {
		return ""
	}
	if strings.Contains(text, "`") {
		return "`` " + text + " ``"
	}
	return "`" + text + "`"
}

// block makes foreign text safe within a fenced block: it cannot close the fence.
func block(text string) string { return strings.ReplaceAll(text, "```", "'''") }

// list joins words for reading: a, b and c.
func list(words []string) string {
	switch n := len(words); n {
	case 0:
		return ""
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
}

// count writes "1 checkout", "3 checkouts".
func count(v float64, thing string) string { return quantity(v, "{"+thing+"}") }

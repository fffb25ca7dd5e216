package definition

import (
	"fmt"
	"strings"

	"github.com/faultline-lab/faultline/observability/grafana/internal/board"
	"github.com/faultline-lab/faultline/observability/grafana/internal/model"
)

// profile is what the dashboard must know of an SLO profile of slo/rules: the rules carry the windows in their names.
type profile struct {
	short, long string   // the windows of the fastest page
	windows     []string // all of them
}

var (
	demo       = profile{"5s", "30s", []string{"5s", "30s"}}
	production = profile{"5m", "1h", []string{"5m", "30m", "1h", "2h", "6h", "1d", "3d"}}
)

// SLO answers: do we keep our promise, and how fast are we using up what may go wrong?
func SLO() model.Dashboard {
	return board.New("faultline-slo", "Faultline: SLO of checkout",
		"Do we keep the promise that checkouts succeed within 0.5 s, and how fast do we use up what may go wrong? It reads the "+
			"recording rules of whichever profile is loaded: demo (of 6 h) or production (of 30 days).").
		Row("Now", 4, promise()...).
		Row("Burn rate", 9, burning()...).
		Row("Every promise", 8, everyPromise()...).
		Row("What customers got", 8, results()...).
		Row("How fast", 8, howFast()...).
		Row("Alerts and complaints", 9,
			board.State("Alerts about checkout", "Alerts of the error budget, and of what they are usually preceded by.", "quiet", "firing",
				board.Ask(firing(`alertname=~"Checkout.+|Orders.+|ConnectionPoolExhausted"`), "{{alertname}} {{instance}}")),
			board.Logs("Complaints of the edge", "Requests that failed or were slow, as storefront says it. A line's trace_id leads to its trace.",
				`{service_name="storefront"} | severity_text=~"WARN|ERROR"`)).
		Dashboard()
}

// either asks for the demo profile's answer, and for production's where there is none.
func either(of func(profile) string) string { return of(demo) + " or " + of(production) }

// ofCheckout chooses the promise that the dashboard is about.
const ofCheckout = `{slo="checkout"}`

func errorRatio(window string) string { return "slo:error_ratio:rate" + window + ofCheckout }

func burnRate(window string) string { return "slo:burn_rate:rate" + window + ofCheckout }

func promise() []*board.Panel {
	long := func(p profile) string { return "1 - " + errorRatio(p.long) }
	burn := func(p profile) string { return burnRate(p.short) }
	return []*board.Panel{
		board.Stat("Good checkouts", "Share of good ones over the fastest page's long window: 30 s (demo) or 1 h (production).", board.Share,
			board.Ask(either(long), "good")).BadBelow(0.99),
		board.Stat("Burn rate", "How many times too fast the budget goes, over the fastest page's short window: 5 s or 5 min. 1 lasts exactly "+
			"for the period; 14.4 pages.", board.Count, board.Ask(either(burn), "burn rate")).Bad(14.4),
		board.Stat("Budget spent in the time shown", "What went wrong in the time shown, as a share of what might have gone wrong in it. "+
			"1 is all of it.", board.Share, board.Ask(spent(), "spent")).Bad(1),
		board.Stat("Not good in the time shown", "Checkouts that failed or were slow, in the time shown.", board.Count,
			board.Ask("round("+notGood("$__range")+")", "checkouts")).Bad(1),
		board.Stat("Budget left", "Of the whole period: 1 is all of it, below 0 it is overdrawn. What was not observed of the period counts as "+
			"good.", board.Share, board.Ask("slo:error_budget_remaining:ratio"+ofCheckout, "left")).BadBelow(0),
		board.Stat("Objective", "The promise of the profile that is loaded.", board.Share,
			board.Ask("slo:objective:ratio"+ofCheckout, "objective")),
	}
}

// counted is every checkout that counts, and wellDone those that kept the promise.
const (
	counted  = served + "_count{" + checkout + `,http_response_status_code!~"4.."}`
	wellDone = served + "_bucket{" + checkout + `,http_response_status_code=~"2..",le="0.5"}`
)

func increase(series, window string) string {
	return fmt.Sprintf("sum(increase(%s[%s]))", series, window)
}

func notGood(window string) string {
	return fmt.Sprintf("%s - (%s)", increase(counted, window), orZero(increase(wellDone, window), increase(counted, window)))
}

// spent divides what went wrong by the budget of the profile whose rules there are.
func spent() string {
	return fmt.Sprintf("(%s) / (%s > 0) / (1 - max(slo:objective:ratio%s))", notGood("$__range"), increase(counted, "$__range"), ofCheckout)
}

func burning() []*board.Panel {
	return []*board.Panel{
		board.Graph("Burn rate by window", "How many times too fast the error budget goes, over each window of the loaded profile. An alert needs "+
			"a short and a long window above its threshold: 14.4 for the fastest page.", board.Count,
			board.Ask(everyWindow(burnRate), "{{window}}")).
			FromZero().Bad(14.4),
		board.Graph("Budget taken by each window", "Share of the whole period's budget that went within the window that ends here: burn rate x "+
			"window / period. The fastest page fires at 2 %.", board.Share,
			board.Ask(everyWindow(func(window string) string {
				return fmt.Sprintf("%s * %d / on (slo, workload) slo:period:seconds%s", burnRate(window), seconds(window), ofCheckout)
			}), "{{window}}")).FromZero(),
	}
}

func everyPromise() []*board.Panel {
	return []*board.Panel{
		board.Graph("Budget left, of each promise", "Of the whole period: 1 is all of it, below 0 it is overdrawn.", board.Share,
			board.Ask("slo:error_budget_remaining:ratio", "{{slo}}")),
		board.Graph("Burn rate, of each promise", "Over the long window of the fastest page: 30 s (demo) or 1 h (production).", board.Count,
			board.Ask(either(func(p profile) string { return "slo:burn_rate:rate" + p.long }), "{{slo}}")).FromZero().Bad(14.4),
	}
}

// everyWindow is one series for each window that has a recording rule, labelled with it.
func everyWindow(of func(window string) string) string {
	var all []string
	for _, p := range []profile{demo, production} {
		for _, window := range p.windows {
			all = append(all, fmt.Sprintf(`label_replace(%s, "window", %q, "", "")`, of(window), window))
		}
	}
	return strings.Join(all, " or ")
}

// seconds is a window's length.
func seconds(window string) int {
	units := map[byte]int{'s': 1, 'm': 60, 'h': 3600, 'd': 86400}
	last := len(window) - 1
	number := 0
	for _, digit := range window[:last] {
		number = number*10 + int(digit-'0')
	}
	return number * units[window[last]]
}

func results() []*board.Panel {
	all := "sum(rate(" + served + "_count{" + checkout + "}[$__rate_interval]))"
	status := func(matcher string) string {
		return "sum(rate(" + served + "_count{" + checkout + "," + matcher + "}[$__rate_interval]))"
	}
	good := "sum(rate(" + wellDone + "[$__rate_interval]))"
	slow := "clamp_min((" + orZero(status(`http_response_status_code=~"2.."`), all) + ") - (" + orZero(good, all) + "), 0)"
	return []*board.Panel{
		board.Graph("Checkouts by result, at the edge", "Good: 2xx within 0.5 s. Slow: 2xx later. Failed: everything else but 4xx, which are the "+
			"customer's own.", board.Requests,
			board.Ask(orZero(good, all), "good"), board.Ask(slow, "slow"),
			board.Ask(orZero(status(`http_response_status_code!~"[24].."`), all), "failed"),
			board.Ask(orZero(status(`http_response_status_code=~"4.."`), all), "the customer's own")).Stacked().FromZero(),
		board.Graph("Checkouts by result, as the client saw them", "The load generator's own count. It decides about recovery, and the healer "+
			"never reads it.", board.Requests,
			board.Ask(rate("outcome", "loadgen_checkouts_total"), "{{outcome}}")).Stacked().FromZero(),
		board.Graph("Why they failed, as the client saw it", "Failed checkouts by status, no_answer within a second, or unsent because too many "+
			"were in flight.", board.Requests,
			board.Ask(rate("reason", "loadgen_failed_checkouts_total"), "{{reason}}")).Stacked().FromZero(),
	}
}

func howFast() []*board.Panel {
	var within []board.Query
	for _, bound := range []string{"0.1", "0.2", "0.3", "0.5", "0.9"} {
		share := fmt.Sprintf(`sum(rate(%s_bucket{%s,le=%q}[$__rate_interval])) / (sum(rate(%s_count{%s}[$__rate_interval])) > 0)`,
			served, checkout, bound, served, checkout)
		within = append(within, board.Ask(share, "within "+bound+" s"))
	}
	return []*board.Panel{
		board.Graph("Checkout, percentiles", "Points are checkouts with a trace. The promise is 0.5 s.", board.Seconds,
			board.Traced(quantile("0.99", "", served, checkout), "p99"),
			board.Ask(quantile("0.95", "", served, checkout), "p95"),
			board.Ask(quantile("0.5", "", served, checkout), "p50")).FromZero().Bad(0.5),
		board.Graph("Answered within", "Share of checkouts that were answered, well or badly, within a time.", board.Share, within...).Range(0, 1),
		board.Heatmap("Checkouts by duration", "How many checkouts took how long.", board.Traced(spread(served, checkout), "{{le}}")),
	}
}

// Recorded are the names of the recording rules that the dashboards read.
func Recorded() []string {
	names := []string{
		"slo:error_budget_remaining:ratio", "slo:objective:ratio", "slo:period:seconds",
		"pool:demand:connection_seconds_per_checkout", "pool:saturation:checkouts_per_second", "pool:free:ratio",
	}
	for _, p := range []profile{demo, production} {
		names = append(names, "slo:error_ratio:rate"+p.short, "slo:error_ratio:rate"+p.long)
		for _, window := range p.windows {
			names = append(names, "slo:burn_rate:rate"+window)
		}
	}
	return names
}

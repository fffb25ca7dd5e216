package grafana

import "strings"

// The data sources' uids. Only what is provisioned knows them: a dashboard takes whichever data source its variables choose.
const (
	prometheusUID = "faultline-prometheus"
	lokiUID       = "faultline-loki"
	jaegerUID     = "faultline-jaeger"
)

// around is how far before and after a span its logs are looked for: what follows from a request may be later than its span.
const around = "5m"

func dataSources(p Params) object {
	trail := Links()
	return object{
		"apiVersion": 1,
		"datasources": []object{
			{
				"name": "Prometheus", "uid": prometheusUID, "type": Prometheus, "access": "proxy", "url": p.PrometheusURL,
				"isDefault": true, "editable": false,
				"jsonData": object{
					"httpMethod": "POST",
					// Grafana's $__rate_interval is four times this.
					"timeInterval":                p.ScrapeInterval.String(),
					"exemplarTraceIdDestinations": []object{{"name": trail.ExemplarLabel, "datasourceUid": jaegerUID}},
				},
			},
			{
				"name": "Loki", "uid": lokiUID, "type": Loki, "access": "proxy", "url": p.LokiURL, "editable": false,
				"jsonData": object{
					"derivedFields": []object{{
						"name": "trace", "matcherType": "label", "matcherRegex": trail.LogLabel,
						"datasourceUid": jaegerUID, "url": literal("${__value.raw}"), "urlDisplayLabel": "Open the trace",
					}},
				},
			},
			{
				"name": "Jaeger", "uid": jaegerUID, "type": Jaeger, "access": "proxy", "url": p.JaegerURL, "editable": false,
				"jsonData": object{
					"nodeGraph": object{"enabled": true},
					"tracesToLogsV2": object{
						"datasourceUid": lokiUID, "customQuery": true, "query": literal(trail.TraceToLogs),
						"spanStartTimeShift": "-" + around, "spanEndTimeShift": around,
					},
					"tracesToMetrics": object{
						"datasourceUid": prometheusUID, "spanStartTimeShift": "-" + around, "spanEndTimeShift": around,
						"queries": replicaMetrics(),
					},
				},
			},
		},
	}
}

// replicaMetrics are what a span's replica was doing: its service.instance.id is Prometheus' label instance.
func replicaMetrics() []object {
	const replica = `{instance="${__span.tags["service.instance.id"]}"}`
	return []object{
		{
			"name":  "Connections of this replica",
			"query": literal("sum by (db_client_connection_pool_name, db_client_connection_state) (db_client_connection_count" + replica + ")"),
		},
		{"name": "Processor of this replica", "query": literal("rate(process_cpu_seconds_total" + replica + "[$__rate_interval])")},
	}
}

// literal keeps Grafana's provisioning from taking a variable of its own queries for one of the environment.
func literal(text string) string { return strings.ReplaceAll(text, "$", "$$") }

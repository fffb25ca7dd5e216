package grafana

import (
	"path/filepath"
	"strconv"
)

// EnvParams are what differs between the settings of one Grafana and another.
type EnvParams struct {
	Host string // empty means 127.0.0.1
	Port int    // 0 means 3000
	// DataDir and ProvisioningDir are absolute paths; Grafana writes to the first alone.
	DataDir, ProvisioningDir string
}

// Env is Grafana's environment: whoever reaches it may look at everything and change nothing, and it calls nobody but its data
// sources. There is no administrator and no password.
func Env(p EnvParams) map[string]string {
	if p.Host == "" {
		p.Host = "127.0.0.1"
	}
	if p.Port == 0 {
		p.Port = 3000
	}
	return map[string]string{
		"GF_SERVER_HTTP_ADDR":   p.Host,
		"GF_SERVER_HTTP_PORT":   strconv.Itoa(p.Port),
		"GF_PATHS_DATA":         p.DataDir,
		"GF_PATHS_LOGS":         filepath.Join(p.DataDir, "log"),
		"GF_PATHS_PLUGINS":      filepath.Join(p.DataDir, "plugins"),
		"GF_PATHS_PROVISIONING": p.ProvisioningDir,
		"GF_LOG_MODE":           "console",
		"GF_LOG_LEVEL":          "warn",

		"GF_AUTH_ANONYMOUS_ENABLED":  "true",
		"GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
		// Viewers may also ask questions of their own (Explore), which is where every link between the pillars leads. They
		// still cannot save anything.
		"GF_USERS_VIEWERS_CAN_EDIT":                  "true",
		"GF_AUTH_DISABLE_LOGIN_FORM":                 "true",
		"GF_AUTH_BASIC_ENABLED":                      "false",
		"GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
		"GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH":  filepath.Join(p.ProvisioningDir, "dashboards", "overview.json"),

		// Alerts are Prometheus' business, and Grafana's own would be a second opinion.
		"GF_UNIFIED_ALERTING_ENABLED": "false",

		// Nothing is asked of, or told to, anybody else.
		"GF_ANALYTICS_REPORTING_ENABLED":           "false",
		"GF_ANALYTICS_CHECK_FOR_UPDATES":           "false",
		"GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES":    "false",
		"GF_ANALYTICS_FEEDBACK_LINKS_ENABLED":      "false",
		"GF_NEWS_NEWS_FEED_ENABLED":                "false",
		"GF_PLUGINS_PREINSTALL_DISABLED":           "true",
		"GF_PLUGINS_PREINSTALL_AUTO_UPDATE":        "false",
		"GF_PLUGINS_PLUGIN_ADMIN_ENABLED":          "false",
		"GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED": "true",
		"GF_SECURITY_DISABLE_GRAVATAR":             "true",
		"GF_SNAPSHOTS_ENABLED":                     "false",
		"GF_SNAPSHOTS_EXTERNAL_ENABLED":            "false",
		"GF_EXPLORE_ENABLED":                       "true",
	}
}

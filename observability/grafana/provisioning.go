package grafana

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"github.com/goccy/go-yaml"
)

// Params are what differs between one Grafana's provisioning and another's.
type Params struct {
	PrometheusURL, LokiURL, JaegerURL string
	// DashboardsPath is the provisioning folder's subfolder `dashboards`, absolute, as Grafana sees it.
	DashboardsPath string
	// ScrapeInterval is how often Prometheus reads our programs; 0 means 1 s. The windows of rates follow from it.
	ScrapeInterval time.Duration
}

func (p *Params) defaults() error {
	if p.ScrapeInterval == 0 {
		p.ScrapeInterval = time.Second
	}
	if p.ScrapeInterval < time.Second || p.ScrapeInterval%time.Second != 0 {
		return fmt.Errorf("grafana: ScrapeInterval is %s: use whole seconds, 1s or more", p.ScrapeInterval)
	}
	if !filepath.IsAbs(p.DashboardsPath) {
		return errors.New("grafana: DashboardsPath must be an absolute path: Grafana takes others from its own folder")
	}
	for name, address := range map[string]string{
		"PrometheusURL": p.PrometheusURL, "LokiURL": p.LokiURL, "JaegerURL": p.JaegerURL,
	} {
		if u, err := url.Parse(address); err != nil || u.Scheme == "" || u.Host == "" {
			return fmt.Errorf("grafana: %s is %q: use the data source's base, for example http://127.0.0.1:9090", name, address)
		}
	}
	return nil
}

// Files are what a provisioning folder holds, by path within it: data sources, the dashboards, and where those are.
func Files(p Params) (map[string][]byte, error) {
	if err := p.defaults(); err != nil {
		return nil, err
	}
	sources, err := yaml.Marshal(dataSources(p))
	if err != nil {
		return nil, fmt.Errorf("grafana: data sources: %w", err)
	}
	providers, err := yaml.Marshal(dashboardProvider(p.DashboardsPath))
	if err != nil {
		return nil, fmt.Errorf("grafana: dashboards: %w", err)
	}
	files := map[string][]byte{
		"datasources/faultline.yaml": sources,
		"dashboards/faultline.yaml":  providers,
	}
	for _, d := range Dashboards() {
		files["dashboards/"+d.File] = d.JSON
	}
	return files, nil
}

type object = map[string]any

func dashboardProvider(path string) object {
	return object{
		"apiVersion": 1,
		"providers": []object{{
			"name": "faultline", "folder": "Faultline", "type": "file",
			"disableDeletion": true,
			"allowUiUpdates":  false, // what is changed in the browser would be gone with the next start
			"options":         object{"path": path, "foldersFromFilesStructure": false},
		}},
	}
}

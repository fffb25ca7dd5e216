// Package model is the part of Grafana's dashboard JSON that our dashboards use, for writing it and for reading it back.
package model

// Dashboard is one dashboard file. Grafana gives it an id of its own, so the file has none.
type Dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	SchemaVersion int         `json:"schemaVersion"`
	Editable      bool        `json:"editable"`
	GraphTooltip  int         `json:"graphTooltip"`
	Refresh       string      `json:"refresh"`
	Time          Time        `json:"time"`
	Timezone      string      `json:"timezone"`
	Links         []Link      `json:"links"`
	Templating    Templating  `json:"templating"`
	Annotations   Annotations `json:"annotations"`
	Panels        []Panel     `json:"panels"`
}

// Time is what a dashboard shows when it is opened.
type Time struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Link leads from a dashboard to the others that share a tag, and keeps time and variables.
type Link struct {
	Title       string   `json:"title"`
	Type        string   `json:"type"`
	Icon        string   `json:"icon"`
	Tooltip     string   `json:"tooltip"`
	URL         string   `json:"url"`
	Tags        []string `json:"tags"`
	AsDropdown  bool     `json:"asDropdown"`
	TargetBlank bool     `json:"targetBlank"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
}

// Templating holds the variables.
type Templating struct {
	List []Variable `json:"list"`
}

// Variable is a choice at the top of a dashboard: a data source (Type datasource), or a label's values (Type query).
type Variable struct {
	Name       string      `json:"name"`
	Label      string      `json:"label"`
	Type       string      `json:"type"`
	Hide       int         `json:"hide"`
	Datasource *Datasource `json:"datasource,omitempty"`
	Query      any         `json:"query"`
	Definition string      `json:"definition,omitempty"`
	Refresh    int         `json:"refresh"`
	Regex      string      `json:"regex"`
	Sort       int         `json:"sort,omitempty"`
	Multi      bool        `json:"multi"`
	IncludeAll bool        `json:"includeAll"`
	AllValue   string      `json:"allValue,omitempty"`
	Options    []string    `json:"options"`
	Current    Current     `json:"current"`
}

// VariableQuery is how Prometheus is asked for a label's values.
type VariableQuery struct {
	Query string `json:"query"`
	RefID string `json:"refId"`
}

// Current is a variable's value until somebody chooses another.
type Current struct {
	Text  string `json:"text,omitempty"`
	Value string `json:"value,omitempty"`
}

// Annotations are the events drawn over every graph.
type Annotations struct {
	List []Annotation `json:"list"`
}

// Annotation is a query whose answers are drawn as events. Loki reads Expr, Prometheus reads Target.
type Annotation struct {
	Name        string      `json:"name"`
	Datasource  Datasource  `json:"datasource"`
	Enable      bool        `json:"enable"`
	IconColor   string      `json:"iconColor"`
	Expr        string      `json:"expr,omitempty"`
	Target      *AnnoTarget `json:"target,omitempty"`
	TitleFormat string      `json:"titleFormat,omitempty"`
	TextFormat  string      `json:"textFormat,omitempty"`
	TagKeys     string      `json:"tagKeys,omitempty"`
}

// AnnoTarget is an annotation's query.
type AnnoTarget struct {
	Expr      string `json:"expr"`
	RefID     string `json:"refId"`
	QueryType string `json:"queryType,omitempty"`
}

// Datasource names a data source by its type and, as a variable, its uid.
type Datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

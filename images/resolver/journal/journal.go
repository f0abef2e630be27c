// Package journal writes a line of JSON on standard output for each query that is answered.
//
//	journal TENANT
//
// CoreDNS' own log has no JSON: it writes odd bytes in names with a backslash and three digits.
// Names that were refused are counted too: a tunnel by DNS is many of them.
package journal

import (
	"context"
	"encoding/json"
	"os"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Query is a line about one that was answered.
type Query struct {
	Event        string  `json:"event"`
	Time         string  `json:"time"`
	Tenant       string  `json:"tenant"`
	Source       string  `json:"source"`
	Name         string  `json:"name"`
	Type         string  `json:"type"`
	Protocol     string  `json:"protocol"`
	Verdict      string  `json:"verdict"`
	Sent         int     `json:"sent"`
	Milliseconds float64 `json:"milliseconds"`
}

// OverBudget is a line about those of a second that got no answer.
type OverBudget struct {
	Event   string `json:"event"`
	Time    string `json:"time"`
	Tenant  string `json:"tenant"`
	Dropped int    `json:"dropped"`
}

var refusals = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "corral_tenant_dns_refusals_total",
	Help: "Names that a tenant asked for and may not have.",
}, []string{"tenant"})

// Journal writes what comes after it answers.
type Journal struct {
	next   plugin.Handler
	tenant string
}

func init() { plugin.Register("journal", setup) }

func setup(c *caddy.Controller) error {
	c.Next()
	arguments := c.RemainingArgs()
	if len(arguments) != 1 {
		return plugin.Error("journal", c.ArgErr())
	}
	// From the start on: a rate would miss the first ones otherwise.
	refusals.WithLabelValues(arguments[0])
	dnsserver.GetConfig(c).AddPlugin(func(next plugin.Handler) plugin.Handler {
		return Journal{next: next, tenant: arguments[0]}
	})
	return nil
}

// ServeDNS hands on and writes.
func (j Journal) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	recorder := dnstest.NewRecorder(w)
	code, err := plugin.NextOrFailure(j.Name(), j.next, ctx, recorder, r)
	if code == dns.RcodeNameError || code == dns.RcodeRefused {
		refusals.WithLabelValues(j.tenant).Inc()
	}
	state := request.Request{W: w, Req: r}
	Write(Query{
		Event:        "query",
		Time:         Now(),
		Tenant:       j.tenant,
		Source:       state.RemoteAddr(),
		Name:         state.QName(),
		Type:         state.Type(),
		Protocol:     state.Proto(),
		Verdict:      dns.RcodeToString[code],
		Sent:         recorder.Len,
		Milliseconds: float64(time.Since(recorder.Start).Microseconds()) / 1000,
	})
	return code, err
}

// Name of the plugin.
func (Journal) Name() string { return "journal" }

// Now is as lines have it.
func Now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

// Write puts a line on standard output, whole.
func Write(line any) {
	text, err := json.Marshal(line)
	if err != nil {
		return
	}
	_, _ = os.Stdout.Write(append(text, '\n'))
}

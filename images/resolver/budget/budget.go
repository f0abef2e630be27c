// Package budget ends a tenant's answers at so many a second, those of all its server blocks
// together.
//
//	budget TENANT ANSWERS
//
// What it has left outlives a reload: whoever changes a list gets no fresh budget by it.
//
// A query beyond that gets no answer, and a TCP connection that it came by ends: a client asks
// again, a tunnel by DNS gets slow, and others that share the process don't notice. How many there
// were is written down once a second, however many they are.
package budget

import (
	"context"
	"strconv"
	"sync"
	"time"

	"corral.invalid/resolver/journal"
	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/time/rate"
)

var dropped = promauto.NewCounterVec(prometheus.CounterOpts{
	Namespace: plugin.Namespace,
	Subsystem: "budget",
	Name:      "dropped_total",
	Help:      "Queries beyond a tenant's budget.",
}, []string{"tenant"})

func init() { plugin.Register("budget", setup) }

// Budget drops what comes beyond its limit.
type Budget struct {
	next   plugin.Handler
	limit  *rate.Limiter
	beyond *beyond
}

func setup(c *caddy.Controller) error {
	c.Next()
	arguments := c.RemainingArgs()
	if len(arguments) != 2 {
		return plugin.Error("budget", c.ArgErr())
	}
	most, err := strconv.Atoi(arguments[1])
	if err != nil || most < 1 {
		return plugin.Error("budget", c.Errf("answers a second must be a number from 1, not %q", arguments[1]))
	}
	own := of(arguments[0], most)
	dnsserver.GetConfig(c).AddPlugin(func(next plugin.Handler) plugin.Handler {
		return Budget{next: next, limit: own.limit, beyond: own.beyond}
	})
	return nil
}

// one is a tenant's, by whose blocks it is spent.
type one struct {
	limit  *rate.Limiter
	beyond *beyond
}

var (
	tenants = map[string]one{}
	lock    sync.Mutex
)

// of gives the tenant's budget, from now on with so many answers a second.
func of(tenant string, most int) one {
	lock.Lock()
	defer lock.Unlock()
	found, known := tenants[tenant]
	if !known {
		found = one{
			limit:  rate.NewLimiter(rate.Limit(most), most),
			beyond: &beyond{tenant: tenant},
		}
		tenants[tenant] = found
	}
	if found.limit.Burst() != most {
		found.limit.SetLimit(rate.Limit(most))
		found.limit.SetBurst(most)
	}
	return found
}

// ServeDNS answers nothing once the budget is spent. A success code without a written answer makes
// the server send none.
func (b Budget) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if b.limit.Allow() {
		return plugin.NextOrFailure(b.Name(), b.next, ctx, w, r)
	}
	b.beyond.count()
	if w.LocalAddr().Network() == "tcp" {
		_ = w.Close()
	}
	return dns.RcodeSuccess, nil
}

// Name of the plugin.
func (Budget) Name() string { return "budget" }

// beyond counts what was dropped since it was last written down.
type beyond struct {
	tenant  string
	lock    sync.Mutex
	dropped int
}

func (b *beyond) count() {
	dropped.WithLabelValues(b.tenant).Inc()
	b.lock.Lock()
	defer b.lock.Unlock()
	if b.dropped++; b.dropped == 1 {
		time.AfterFunc(time.Second, b.write)
	}
}

func (b *beyond) write() {
	b.lock.Lock()
	defer b.lock.Unlock()
	journal.Write(journal.OverBudget{
		Event: "over-budget", Time: journal.Now(), Tenant: b.tenant, Dropped: b.dropped,
	})
	b.dropped = 0
}

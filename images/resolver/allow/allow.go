// Package allow answers the names on a tenant's list with the tenant's own address at the gateway.
//
//	allow ADDRESS SECONDS [NAME...]
//
// ADDRESS is IPv4, SECONDS is how long an answer may be kept. A NAME is a host, or `*.` and a host,
// which stands for one label before it. A listed name has an A record and no other; every other
// name doesn't exist. Nobody is asked.
package allow

import (
	"context"
	"net"
	"strconv"
	"strings"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
)

// refusalSeconds is how long clients may keep a refusal: a name that is added is soon there.
const refusalSeconds = 5

func init() { plugin.Register("allow", setup) }

// Allow is one tenant's list.
type Allow struct {
	exact   map[string]struct{}
	parents map[string]struct{}
	address net.IP
	seconds uint32
}

func setup(c *caddy.Controller) error {
	c.Next()
	allow, err := parse(c)
	if err != nil {
		return plugin.Error("allow", err)
	}
	dnsserver.GetConfig(c).AddPlugin(func(plugin.Handler) plugin.Handler { return allow })
	return nil
}

func parse(c *caddy.Controller) (Allow, error) {
	allow := Allow{exact: map[string]struct{}{}, parents: map[string]struct{}{}}
	arguments := c.RemainingArgs()
	if len(arguments) < 2 {
		return allow, c.ArgErr()
	}
	if allow.address = net.ParseIP(arguments[0]).To4(); allow.address == nil {
		return allow, c.Errf("an IPv4 address is expected, not %q", arguments[0])
	}
	seconds, err := strconv.ParseUint(arguments[1], 10, 16)
	if err != nil {
		return allow, c.Errf("a number of seconds is expected, not %q", arguments[1])
	}
	allow.seconds = uint32(seconds)
	for _, name := range arguments[2:] {
		parent, wildcard := strings.CutPrefix(name, "*.")
		if strings.ContainsAny(parent, "*\\") || !strings.Contains(parent, ".") || strings.HasSuffix(parent, ".") {
			return allow, c.Errf("a host or a wildcard of one label is expected, not %q", name)
		}
		if wildcard {
			allow.parents[dns.CanonicalName(parent)] = struct{}{}
		} else {
			allow.exact[dns.CanonicalName(parent)] = struct{}{}
		}
	}
	return allow, nil
}

// ServeDNS answers; nothing comes after it.
func (a Allow) ServeDNS(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if r.Opcode != dns.OpcodeQuery {
		return dns.RcodeNotImplemented, nil
	}
	if extra := r.IsEdns0(); extra != nil {
		extra.Option = nil // else CoreDNS hands some of them back
	}
	question := r.Question[0]
	answer := new(dns.Msg).SetReply(r)
	answer.Authoritative = true
	switch listed := a.lists(question.Name); {
	case listed && question.Qtype == dns.TypeA:
		header := dns.RR_Header{Name: question.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: a.seconds}
		answer.Answer = []dns.RR{&dns.A{Hdr: header, A: a.address}}
	case listed:
		answer.Ns = refusal()
	default:
		answer.Rcode = dns.RcodeNameError
		answer.Ns = refusal()
	}
	// A client that is gone gets no answer, and nobody is told.
	_ = w.WriteMsg(answer)
	return answer.Rcode, nil
}

// lists says whether a name is on the list. `name` is as miekg/dns writes names: odd bytes, and dots
// within a label, stand there with a backslash, which no label of a wildcard may hold.
func (a Allow) lists(name string) bool {
	name = strings.ToLower(name)
	if _, found := a.exact[name]; found {
		return true
	}
	label, parent, _ := strings.Cut(name, ".")
	if _, found := a.parents[parent]; !found || label == "" {
		return false
	}
	return strings.IndexFunc(label, odd) < 0
}

func odd(r rune) bool {
	return !(r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z')
}

// refusal is the start of authority that a refusal is kept by. It is as short as can be: whoever asks
// in another's name has little sent there.
func refusal() []dns.RR {
	return []dns.RR{&dns.SOA{
		Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: refusalSeconds},
		Ns:  ".", Mbox: ".", Serial: 1,
		Refresh: refusalSeconds, Retry: refusalSeconds, Expire: refusalSeconds, Minttl: refusalSeconds,
	}}
}

// Name of the plugin.
func (Allow) Name() string { return "allow" }

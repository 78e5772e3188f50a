package forward

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"

	"rollway/internal/fault"
)

// Addresses that no receiver has: those of this link, where clouds keep their machines' secrets, and of groups. Some clouds
// keep them elsewhere. 64:ff9b:1::/48 holds IPv4 addresses wherever a network likes to have them (RFC 8215).
var forbidden = prefixes("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "100.100.100.200/32", "192.0.0.192/32", "168.63.129.16/32",
	"::/128", "fe80::/10", "fec0::/10", "ff00::/8", "fd00:ec2::254/128", "fd20:ce::254/128", "2001::/32", "100::/64", "64:ff9b:1::/48")

// Addresses of one's own networks: for forwards that were made for them.
var private = prefixes("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15",
	"::1/128", "fc00::/7")

// Addresses that hold an IPv4 address: from which byte on.
var holders = map[netip.Prefix]int{netip.MustParsePrefix("64:ff9b::/96"): 12, netip.MustParsePrefix("2002::/16"): 2, netip.MustParsePrefix("::/96"): 12}

func prefixes(list ...string) (out []netip.Prefix) {
	for _, p := range list {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

func within(ip netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// mayReach tells whether a connection to the address may be made.
func mayReach(ip netip.Addr, allowPrivate bool) error {
	ip = ip.Unmap().WithZone("")
	switch {
	case !ip.IsValid() || within(ip, forbidden) || ip == netip.IPv6Unspecified():
		return fault.New(fault.Forbidden, "address_forbidden", "The receiver's address is %s, to which nothing is ever sent.", ip)
	case within(ip, private) && !allowPrivate:
		return fault.New(fault.Forbidden, "address_private", "The receiver's address is %s, in a private network. Add the forward with --allow-private if that is meant.", ip)
	case within(ip, private):
		return nil
	}
	for p, at := range holders {
		if b := ip.As16(); ip.Is6() && p.Contains(ip) {
			return mayReach(netip.AddrFrom4([4]byte(b[at:at+4])), allowPrivate)
		}
	}
	return nil
}

// control is the dialer's hook: it sees the address that is connected to, whatever the name resolved to.
func control(allowPrivate bool) func(network, address string, _ syscall.RawConn) error {
	return func(network, address string, _ syscall.RawConn) error {
		if network != "tcp4" && network != "tcp6" {
			return fmt.Errorf("forward: no %s", network)
		}
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return mayReach(to.Addr(), allowPrivate)
	}
}

// parseEndpoint checks the address of a receiver's xAPI, to which "statements" is added, and returns it with a slash at its
// end. Loopback may be http.
func parseEndpoint(r Request, own []string) (string, error) {
	u, err := url.Parse(r.Endpoint)
	if err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http") || len(r.Endpoint) > 2000 {
		return "", fault.New(fault.Invalid, "endpoint", "The endpoint %.200q is not an address such as https://lrs.example/xapi/.", r.Endpoint)
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return "", fault.New(fault.Invalid, "endpoint", "The endpoint holds a user, a query or a fragment. The user is given by --user, the secret apart.")
	}
	if isOwn(u, own) {
		return "", fault.New(fault.Invalid, "endpoint_own", "The endpoint is this installation itself: its statements would go round in a circle.")
	}
	ip, err := netip.ParseAddr(u.Hostname())
	local := strings.EqualFold(u.Hostname(), "localhost") || err == nil && ip.Unmap().IsLoopback()
	if u.Scheme == "http" && !local && !r.PlainHTTP {
		return "", fault.New(fault.Invalid, "endpoint_http", "The endpoint is http: statements and the secret would be readable on the way. Use https, or add the forward with --plain-http if that is meant.")
	}
	if err == nil {
		if err := mayReach(ip, r.AllowPrivate); err != nil {
			return "", err
		}
	}
	if local && !r.AllowPrivate {
		return "", fault.New(fault.Forbidden, "address_private", "The endpoint is this machine. Add the forward with --allow-private if that is meant.")
	}
	u.Host = strings.ToLower(u.Host)
	if !strings.HasSuffix(u.Path, "/") {
		u = u.JoinPath("/")
	}
	return u.String(), nil
}

// isOwn tells whether an address is one that this installation answers to.
func isOwn(u *url.URL, own []string) bool {
	for _, o := range own {
		if mine, err := url.Parse(o); err == nil && strings.EqualFold(hostPort(mine), hostPort(u)) {
			return true
		}
	}
	return false
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(strings.TrimSuffix(u.Hostname(), "."), port)
}

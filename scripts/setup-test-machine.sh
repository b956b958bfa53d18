#!/usr/bin/env bash
# Installs what the tests drive besides npm packages: PostgreSQL, git, an SSH server, Chromium, podman, kubectl, and the tools
# that prove that nothing is sent outside. Debian and its derivatives; does nothing for what is there already.
set -euo pipefail

declare -A packages=(
  [git]=git
  [curl]=curl
  [strace]=strace
  [unshare]=util-linux
  [ip]=iproute2
  [setpriv]=util-linux
  [chromium]=chromium
  [podman]=podman
  [buildah]=buildah
  [runc]=runc
  [busybox]=busybox-static
  [iptables]=iptables
  [docker-compose]=docker-compose
  [/usr/lib/podman/netavark]=netavark
  [/usr/lib/podman/aardvark-dns]=aardvark-dns
  [kubectl]=kubernetes-client
  [ssh-keygen]=openssh-client
  [flock]=util-linux
  [nsenter]=util-linux
  [ps]=procps
  [ss]=iproute2
  [/usr/sbin/sshd]=openssh-server
  [openssl]=openssl
  [nft]=nftables
  [conntrack]=conntrack
  [dnsmasq]=dnsmasq-base
)
missing=()
for tool in "${!packages[@]}"; do
  command -v "$tool" >/dev/null 2>&1 || missing+=("${packages[$tool]}")
done
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
[ -e /usr/share/publicsuffix/public_suffix_list.dat ] || missing+=(publicsuffix)
# Pictures of threads are full of emoji.
[ -e /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf ] || missing+=(fonts-noto-color-emoji)
# The account tests log in to over SSH; without root they use their own.
if [ "$(id -u)" -eq 0 ] && ! id csm-vm >/dev/null 2>&1; then
  # No password, but not locked: sshd refuses locked accounts.
  useradd --create-home --shell /bin/bash --password '*' csm-vm
fi
# Docker's own program without the rest of Docker: it talks to Podman's service.
docker=
command -v docker >/dev/null 2>&1 || docker=docker.io
[ ${#missing[@]} -eq 0 ] && [ -z "$docker" ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "These Debian packages are needed for the tests: ${missing[*]} $docker" >&2
  echo "Install them: sudo apt-get install --no-install-recommends ${missing[*]} $docker" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
[ ${#missing[@]} -eq 0 ] || apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
if [ -n "$docker" ]; then
  # Installed whole, it would start a daemon and change the machine's network.
  folder=$(mktemp -d)
  trap 'rm -rf -- "$folder"' EXIT
  (cd "$folder" && apt-get download -qq "$docker" && dpkg-deb --extract docker.io_*.deb tree)
  install "$folder/tree/usr/bin/docker" /usr/local/bin/docker
fi

#!/bin/sh
# Does in the root of Debian packages in $1 what installing them would do, as far as the tests of Kubernetes count on it.
set -eu
cd "$1"

mkdir -p etc/apache2/mods-enabled etc/apache2/sites-enabled etc/apache2/conf-enabled etc/nginx/sites-enabled \
  var/log/apache2 var/log/nginx var/www/html var/lib/nginx uploads usr/local/apache2 root
cp usr/share/base-passwd/passwd.master etc/passwd
cp usr/share/base-passwd/group.master etc/group
ln -sf mawk usr/bin/awk
ln -sf nc.openbsd usr/bin/nc

for module in mpm_event authz_core authz_host dir mime alias; do
  for file in etc/apache2/mods-available/"$module".*; do
    ln -s "../mods-available/${file##*/}" etc/apache2/mods-enabled/
  done
done
ln -s ../sites-available/000-default.conf etc/apache2/sites-enabled/
ln -s ../sites-available/default etc/nginx/sites-enabled/
cp usr/share/apache2/default-site/index.html var/www/html/
cp usr/share/nginx/html/index.html var/www/html/index.nginx-debian.html
# What the tests expect to find where.
ln -s /var/www/html usr/local/apache2/htdocs
ln -s agnhost agnhost-2

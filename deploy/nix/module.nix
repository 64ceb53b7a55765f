{
  config,
  lib,
  pkgs,
  ...
}:

let
  cfg = config.services.samepaged;
in
{
  options.services.samepaged = {
    enable = lib.mkEnableOption "samepaged, which tunes kernel samepage merging (KSM)";

    package = lib.mkOption {
      type = lib.types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./package.nix { }";
      description = "The samepaged that runs.";
    };

    settings = lib.mkOption {
      type = lib.types.attrsOf (
        lib.types.oneOf [
          lib.types.int
          lib.types.str
        ]
      );
      default = { };
      example = {
        KSM_POLICY = "adaptive";
        KSM_CPU_MAX = 30;
      };
      description = "What ksmtuned.conf(5) describes, for /etc/ksmtuned.conf.";
    };

    metrics.enable = lib.mkEnableOption "metrics for Prometheus at http://127.0.0.1:9870/metrics";
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = !config.hardware.ksm.enable;
        message = "services.samepaged and hardware.ksm both set KSM: remove hardware.ksm.enable.";
      }
    ];

    environment.systemPackages = [ cfg.package ];
    environment.etc."ksmtuned.conf".text = lib.concatStrings (
      lib.mapAttrsToList (name: value: "${name}=${toString value}\n") cfg.settings
    );

    services.dbus.packages = [ cfg.package ];
    users.groups.samepaged = { };
    users.users.samepaged = {
      isSystemUser = true;
      group = "samepaged";
      description = "KSM tuning daemon";
    };

    systemd.packages = [ cfg.package ];
    systemd.services.samepaged = {
      wantedBy = [ "multi-user.target" ];
      path = [
        pkgs.util-linux
        pkgs.libvirt
      ];
      # Where systemd finds the commands that the unit names without a path.
      serviceConfig.ExecSearchPath = lib.makeBinPath [ pkgs.coreutils ];
      restartTriggers = [ config.environment.etc."ksmtuned.conf".source ];
    };
    systemd.sockets.samepaged-metrics.wantedBy = lib.mkIf cfg.metrics.enable [ "samepaged.service" ];
  };
}

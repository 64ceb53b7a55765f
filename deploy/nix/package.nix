# callPackage ./deploy/nix/package.nix { }
{
  lib,
  buildNpmPackage,
  importNpmLock,
  nodejs,
}:

buildNpmPackage {
  pname = "samepaged";
  version = (lib.importJSON ../../package.json).version;
  src = ../..;

  # The lock file has the hash of every package.
  npmDeps = importNpmLock { npmRoot = ../..; };
  inherit (importNpmLock) npmConfigHook;
  npmFlags = [ "--ignore-scripts" ];

  dontNpmBuild = true;
  installPhase = ''
    runHook preInstall
    patchShebangs deploy
    deploy/install.sh --prefix=$out --sbindir=$out/bin --sharedir=$out/share --node=${nodejs}/bin/node --cockpit
    rm $out/lib/samepaged/installed-files
    runHook postInstall
  '';

  meta = {
    description = "Tunes kernel samepage merging (KSM) as virtual machines come and go";
    license = with lib.licenses; [ mit asl20 bsd3 isc bsd0 ];
    mainProgram = "samepagectl";
    platforms = lib.platforms.linux;
  };
}

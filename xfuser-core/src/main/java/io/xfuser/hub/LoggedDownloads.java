package io.xfuser.hub;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One line for each file. */
final class LoggedDownloads implements DownloadListener {
  private static final Logger LOG = LoggerFactory.getLogger(LoggedDownloads.class);

  @Override
  public void advanced(Progress progress) {
    if (progress.first()) {
      LOG.info("downloading {} ({} bytes)", progress.file(), progress.size());
    }
  }
}

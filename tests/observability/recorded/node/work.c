/* What sandboxes do while they are watched: work hold MIB | spin | threads N | forks N | write FILE MIB | sleep */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <signal.h>
static void *idle(void *p){for(;;)pause();}
int main(int c,char**v){
 signal(SIGCHLD,SIG_IGN);
 if(c<2)return 2; const char*w=v[1]; long n=c>2?atol(v[c-1]):0;
 if(!strcmp(w,"hold")){for(long i=0;i<n;i++){char*p=malloc(1<<20);memset(p,i+1,1<<20);usleep(2000);}}
 else if(!strcmp(w,"spin")){for(volatile unsigned long x=0;;x++);}
 else if(!strcmp(w,"forks")){for(long i=0;i<n;i++){pid_t p=fork();if(p<0){perror("fork");break;}if(!p){for(;;)pause();}usleep(1000);}}
 else if(!strcmp(w,"threads")){pthread_attr_t a;pthread_attr_init(&a);pthread_attr_setstacksize(&a,65536);for(long i=0;i<n;i++){pthread_t t;if(pthread_create(&t,&a,idle,0)){perror("thread");break;}}}
 else if(!strcmp(w,"write")){int f=open(v[2],O_CREAT|O_WRONLY|O_TRUNC,0600);char*b=malloc(1<<20);memset(b,7,1<<20);for(long i=0;i<n;i++)if(write(f,b,1<<20)<0){perror("write");break;}fsync(f);close(f);}
 printf("%s %ld done\n",w,n);fflush(stdout);
 for(;;)pause();}
